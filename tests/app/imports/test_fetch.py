"""Fetching against a server that lies, dawdles, redirects and never ends."""

import gzip
import itertools
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from app.images.staging import FileTooLarge
from app.imports.failure import UrlFailed
from app.imports.fetch import MAX_REDIRECTS
from app.imports.resolve import LookUp, system_look_up
from tests.app.imports.hostile import HOSTILE
from tests.app.imports.network import PUBLIC, Names, Recorded, fetched
from tests.app.imports.servers import Answer, certified, moved, ok, paths, serving

HOST = "images.example.org"
HOSTS = "images.example.org, other.example.org"


def failed(allowed: str, url: str, names: LookUp | None = None, network: Any = None, **more: Any) -> UrlFailed:
    with pytest.raises(UrlFailed) as failure:
        fetched(allowed, url, names, network, **more)
    return failure.value


def test_a_listed_address_of_this_machine_is_fetched() -> None:
    with serving(paths({"/a%20b.jpg?x=1": ok(b"picture")})) as server:
        here = f"127.0.0.1:{server.port}"
        assert fetched(here, f"http://{here}/a%20b.jpg?x=1#part") == b"picture"
        assert failed("images.example.org", f"http://{here}/").code == "url_refused"
        assert failed(f"127.0.0.1:{server.port + 1}", f"http://{here}/").code == "url_refused"
    assert len(server.requests) == 1


def test_a_name_may_lead_to_a_listed_address() -> None:
    with serving(paths({"/": ok(b"picture")})) as server:
        names = Names(["127.0.0.1"])
        url = f"http://intern.example:{server.port}/"
        assert fetched(f"intern.example:{server.port}, 127.0.0.1:{server.port}", url, names) == b"picture"
        assert failed(f"intern.example:{server.port}", url, names).code == "url_refused"


def test_a_name_server_that_does_not_answer() -> None:
    """The system's resolver takes no limit, and may ask for half a minute."""
    asked = threading.Event()

    def silent(name: str, port: int) -> list[str]:
        asked.wait(10)
        return [PUBLIC]

    began = time.monotonic()
    try:
        assert failed(HOSTS, f"http://{HOST}/", silent, seconds=0.3).code == "url_timeout"
    finally:
        asked.set()
    assert time.monotonic() - began < 5


def test_it_says_no_more_than_it_must(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy, no cookie, no password of the environment; what a redirect sets is not sent back."""
    with serving(paths({"/": moved("/b")[:-2] + b"Set-Cookie: a=1\r\n\r\n", "/b": ok(b"picture")})) as server:
        proxy = "http://user:word@127.0.0.1:9"
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy)
        network = Recorded(server.port)
        assert fetched(HOST, f"http://{HOST}/", Names(), network) == b"picture"
        assert network.connections == [(PUBLIC, 80)] * 2
    for request in server.requests:
        lines = request.decode().strip().split("\r\n")
        sent = ["Host: images.example.org", "User-Agent: Roost", "Accept: */*", "Accept-Encoding: identity"]
        assert lines[1:] == [*sent, "Connection: close"]


def test_the_first_answer_of_the_resolver_is_the_one_connected_to() -> None:
    names = Names([PUBLIC], ["127.0.0.1"])
    with serving(paths({"/": ok(b"picture")})) as server:
        network = Recorded(server.port)
        assert fetched(HOST, f"http://{HOST}/", names, network) == b"picture"
    assert names.asked == [HOST] and network.connections == [(PUBLIC, 80)]


def test_a_name_that_leads_inside_at_the_redirect_is_refused() -> None:
    names = Names([PUBLIC], ["127.0.0.1"])
    with serving(paths({"/": moved("/again")})) as server:
        network = Recorded(server.port)
        assert failed(HOST, f"http://{HOST}/", names, network).code == "url_refused"
    assert names.asked == [HOST, HOST] and network.connections == [(PUBLIC, 80)]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_listed_host(status: int) -> None:
    answers = {"/": moved("http://other.example.org/b", status), "/b": ok(b"picture")}
    with serving(paths(answers)) as server:
        names = Names()
        assert fetched(HOSTS, f"http://{HOST}/", names, Recorded(server.port)) == b"picture"
    assert names.asked == [HOST, "other.example.org"]
    assert b"Host: other.example.org\r\n" in server.requests[1]


ELSEWHERE = [url for url, _ in HOSTILE if "://" in url and url.isprintable() and url.isascii()]


@pytest.mark.parametrize("location", ELSEWHERE[::4])
def test_a_redirect_elsewhere_is_refused(location: str) -> None:
    with serving(paths({"/": moved(location)})) as server:
        network = Recorded(server.port)
        assert failed(HOST, f"http://{HOST}/", Names(), network).code in ("url_refused", "url_status")
    assert {host for host, _ in network.connections} == {PUBLIC}
    assert all(b"Host: images.example.org\r\n" in request for request in server.requests)


def test_redirects_come_to_an_end() -> None:
    with serving(paths({"/": moved("/")})) as server:
        failure = failed(HOST, f"http://{HOST}/", Names(), Recorded(server.port))
    assert failure.code == "url_refused" and "more than 5" in failure.detail
    assert len(server.requests) == MAX_REDIRECTS + 1
    chain = {f"/{n}": moved(f"/{n + 1}") for n in range(MAX_REDIRECTS)} | {f"/{MAX_REDIRECTS}": ok(b"picture")}
    with serving(paths(chain)) as server:
        assert fetched(HOST, f"http://{HOST}/0", Names(), Recorded(server.port)) == b"picture"


@pytest.mark.parametrize("status", ["204 No Content", "206 Partial", "304 Not Modified", "401 No", "404 No", "500 Oh"])
def test_only_a_plain_200_is_a_picture(status: str) -> None:
    answer = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()
    with serving(lambda connection, _: connection.sendall(answer)) as server:
        failure = failed(HOST, f"http://{HOST}/", Names(), Recorded(server.port))
    assert failure.code == "url_status" and status[:3] in failure.detail


def endless(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(bytes(2**16))


def test_a_body_without_end_is_cut_at_the_limit() -> None:
    with serving(endless) as server, pytest.raises(FileTooLarge):
        fetched(HOST, f"http://{HOST}/", Names(), Recorded(server.port), limit=2**20)
    announced = ok(b"", length=2**40)
    with serving(lambda connection, _: connection.sendall(announced)) as server, pytest.raises(FileTooLarge):
        fetched(HOST, f"http://{HOST}/", Names(), Recorded(server.port))


def drip(pieces: bytes) -> Answer:
    """An answer a byte at a time, for as long as somebody listens."""

    def answer(connection: socket.socket, _: bytes) -> None:
        for number in itertools.count():
            connection.sendall(pieces[number : number + 1] or b"x")
            threading.Event().wait(0.02)

    return answer


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_slow_answers_end_with_the_time_that_one_address_may_take(head: bytes) -> None:
    with serving(drip(head)) as server:
        failure = failed(HOST, f"http://{HOST}/", Names(), Recorded(server.port), seconds=0.3)
    assert failure.code == "url_timeout" and "0.3 seconds" in failure.detail


def test_a_server_that_says_nothing() -> None:
    def silent(connection: socket.socket, _: bytes) -> None:
        connection.recv(1)  # until the client goes

    with serving(silent) as server:
        for scheme in ("http", "https"):  # to the hand-shake of TLS it says nothing either
            failure = failed(HOST, f"{scheme}://{HOST}/", Names(), Recorded(server.port), seconds=0.3)
            assert failure.code == "url_timeout"


@pytest.mark.parametrize(
    "answer",
    [
        ok(b"short", length=1000),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nshorts",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"",
        b"\x00\x01\x02",
    ],
)
def test_answers_that_are_broken(answer: bytes) -> None:
    with serving(lambda connection, _: connection.sendall(answer)) as server:
        assert failed(HOST, f"http://{HOST}/", Names(), Recorded(server.port)).code == "url_unreachable"


def test_what_follows_the_length_that_was_named_is_not_read() -> None:
    with serving(paths({"/": ok(b"picture and more", length=7)})) as server:
        assert fetched(HOST, f"http://{HOST}/", Names(), Recorded(server.port)) == b"picture"


def test_nothing_is_decompressed() -> None:
    bomb = gzip.compress(bytes(50 * 2**20), 9)
    with serving(paths({"/said": ok(bomb, "Content-Encoding: gzip"), "/silent": ok(bomb)})) as server:
        network = Recorded(server.port)
        failure = failed(HOST, f"http://{HOST}/said", Names(), network)
        assert failure.code == "url_refused" and "compressed" in failure.detail
        assert fetched(HOST, f"http://{HOST}/silent", Names(), network) == bomb


def test_the_certificate_must_be_that_of_the_name(tmp_path: Path) -> None:
    theirs, ours = certified(tmp_path, HOST)
    with serving(paths({"/": ok(b"picture")}), theirs) as server:
        network = Recorded(server.port)
        assert fetched(HOSTS, f"https://{HOST}/", Names(), network, tls=ours) == b"picture"
        assert network.connections == [(PUBLIC, 443)] and server.names == [HOST]
        wrong = failed(HOSTS, "https://other.example.org/", Names(), network, tls=ours)
        unknown = failed(HOSTS, f"https://{HOST}/", Names(), network)
        number = failed(f"127.0.0.1:{server.port}", f"https://127.0.0.1:{server.port}/", tls=ours)
    for failure in (wrong, unknown, number):
        assert failure.code == "url_unreachable" and "certificate" in failure.detail
    assert len(server.requests) == 1


def test_the_next_address_is_tried_when_one_takes_no_connection() -> None:
    network = Recorded()
    assert failed(HOST, f"http://{HOST}/", Names(["2606:4700::1111", PUBLIC]), network).code == "url_unreachable"
    assert network.connections == [("2606:4700::1111", 80), (PUBLIC, 80)]


@pytest.mark.parametrize("error", [OSError("no such name"), UnicodeError("label too long")])
def test_a_name_that_nobody_knows(error: Exception) -> None:
    def unknown(name: str, port: int) -> list[str]:
        raise error

    assert failed(HOST, f"http://{HOST}/", unknown).code == "url_unreachable"
    assert failed(HOST, f"http://{HOST}/", Names([])).code == "url_unreachable"


def test_the_resolver_of_this_machine_knows_this_machine() -> None:
    with serving(paths({"/": ok(b"picture")})) as server:
        listed = f"localhost:{server.port}, 127.0.0.1:{server.port}, [::1]:{server.port}"
        assert fetched(listed, f"http://localhost:{server.port}/", system_look_up) == b"picture"
