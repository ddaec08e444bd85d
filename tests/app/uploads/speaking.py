"""Speaking tus to an API in this process, and hanging up in the middle of a word."""

import base64
from collections.abc import Iterable
from typing import Any

from fastapi.testclient import TestClient
from starlette.types import Message, Receive

from app.resources import Resources
from tests.fixtures.loops import run

TUS = {"Tus-Resumable": "1.0.0"}
OFFSETS = "application/offset+octet-stream"


def resources(api: TestClient) -> Resources:
    found: Resources = api.app.state.resources  # type: ignore[attr-defined]
    return found


def metadata(**pairs: str) -> str:
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in pairs.items())


def begin(api: Any, collection_id: str, size: int, name: str = "a.zip", **more: str) -> str:
    """The address of a new upload."""
    said = metadata(filename=name, collection=collection_id, **more)
    answer = api.post("/v1/uploads", headers=TUS | {"Upload-Length": str(size), "Upload-Metadata": said})
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


def send(api: Any, address: str, offset: int, data: bytes, **more: str) -> Any:
    headers = TUS | {"Upload-Offset": str(offset), "Content-Type": OFFSETS} | more
    return api.patch(address, content=data, headers=headers)


def received(api: Any, address: str) -> int:
    answer = api.head(address, headers=TUS)
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    return int(answer.headers["Upload-Offset"])


def cut_off(api: TestClient, address: str, offset: int, chunks: Iterable[bytes], **more: str) -> None:
    """A PATCH whose connection ends after these chunks, before the body does."""
    coming = iter(chunks)

    async def receive() -> dict[str, Any]:
        for chunk in coming:
            return {"type": "http.request", "body": chunk, "more_body": True}
        return {"type": "http.disconnect"}

    run(patch(api, address, offset, receive, **more))


async def patch(api: TestClient, address: str, offset: int, receive: Receive, **more: str) -> int:
    """The status of a PATCH whose body is what `receive` gives."""
    headers = TUS | {"Upload-Offset": str(offset), "Content-Type": OFFSETS} | more
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "PATCH", "scheme": "http",
        "path": address, "raw_path": address.encode(), "query_string": b"", "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1), "server": ("testserver", 80),
    }  # fmt: skip
    told: list[int] = []

    async def answer(message: Message) -> None:
        told.extend([message["status"]] if "status" in message else [])

    await api.app(scope, receive, answer)
    return told[0] if told else 0
