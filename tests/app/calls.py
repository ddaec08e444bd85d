"""What tests of the HTTP front say often: make a collection, upload, look for a problem, count what lies on disk."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from tests.fixtures.pictures import jpeg

PROBLEM = "application/problem+json"
NOWHERE = "0199c0de-0000-7000-8000-000000000000"
BOUNDARY = "roost-boundary"


class Response(Protocol):
    """What the test client's answers and those of a client of a running service have in common."""

    status_code: int
    text: str

    @property
    def headers(self) -> Mapping[str, str]: ...
    def json(self) -> Any: ...


class Client(Protocol):
    def get(self, url: str, **more: Any) -> Any: ...
    def post(self, url: str, **more: Any) -> Any: ...


def new_collection(client: Client, name: str = "Garden") -> str:
    answer = client.post("/v1/collections", json={"name": name})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def upload(client: Client, collection_id: str, files: Iterable[tuple[str, bytes]], **headers: str) -> Any:
    parts = [("files", file) for file in files]
    return client.post(f"/v1/collections/{collection_id}/images", files=parts, headers=headers)


def new_image(client: Client, collection_id: str, seed: int = 0, name: str = "a.jpg") -> str:
    """Upload one drawn picture; its id."""
    answer = upload(client, collection_id, [(name, jpeg("red", seed, (32, 24)))])
    assert answer.json()["created"] == 1, answer.text
    return str(answer.json()["items"][0]["image_id"])


def problem(answer: Response, status: int, code: str) -> dict[str, Any]:
    """The body of an error, having seen that it is one as RFC 9457 and the contract want it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    body: dict[str, Any] = answer.json()
    assert body["code"] == code and body["status"] == status
    assert body["type"] and body["title"] and body["detail"]
    return body


def multipart(*parts: tuple[bytes, bytes], end: bool = True) -> bytes:
    """A body written by hand: (header lines, content) of each part."""
    body = b"".join(b"--%s\r\n%s\r\n\r\n%s\r\n" % (BOUNDARY.encode(), header, data) for header, data in parts)
    return body + (b"--%s--\r\n" % BOUNDARY.encode() if end else b"")


def part(name: bytes, field: bytes = b"files") -> bytes:
    return b'Content-Disposition: form-data; name="%s"; filename="%s"' % (field, name)


def send_multipart(client: Client, collection_id: str, body: bytes) -> Any:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return client.post(f"/v1/collections/{collection_id}/images", content=body, headers=headers)


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
