"""A local server that answers byte for byte what a test wants, in the clear or with a certificate of its own."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Answer = Callable[[socket.socket, bytes], None]


@dataclass
class Server:
    """`requests` are the heads that came, each with its lines as they were."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)  # that TLS clients asked for


def ok(body: bytes, *headers: str, length: int | None = None) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def moved(location: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


def paths(answers: dict[str, bytes]) -> Answer:
    """An answer a path; 404 for others."""

    def answer(connection: socket.socket, head: bytes) -> None:
        path = head.split(b" ", 2)[1].decode()
        connection.sendall(answers.get(path, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))

    return answer


@contextmanager
def serving(answer: Answer, tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[Server]:
    listener = socket.create_server(("127.0.0.1", port))
    server = Server(listener.getsockname()[1])
    if tls:
        tls.sni_callback = lambda _, name, __: server.names.append(name)
    threading.Thread(target=_accept, args=(listener, server, answer, tls), daemon=True).start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _accept(listener: socket.socket, server: Server, answer: Answer, tls: ssl.SSLContext | None) -> None:
    with suppress(OSError):  # the end of the listener
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_one, args=(connection, server, answer, tls), daemon=True).start()


def _one(connection: socket.socket, server: Server, answer: Answer, tls: ssl.SSLContext | None) -> None:
    with suppress(OSError), connection:  # the client may go at any time
        secured = tls.wrap_socket(connection, server_side=True) if tls else connection
        with secured:
            head = b""
            while b"\r\n\r\n" not in head:
                if not (piece := secured.recv(65536)):
                    return
                head += piece
            server.requests.append(head)
            answer(secured, head)


def certified(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's side for `name`, and the side of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    moment = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - timedelta(days=1))
        .not_valid_after(moment + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    path = folder / f"{name}.pem"
    path.write_bytes(private + public)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cadata=public.decode())
