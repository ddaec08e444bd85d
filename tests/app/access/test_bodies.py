"""No body is held in memory beyond its limit, whoever sends it: declared or in chunks, with a key or without."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app import bodies
from app.clusterings import routes as clusterings
from app.images.multipart import MAX_FIELDS
from tests.app.access.conftest import Keyed
from tests.app.calls import NOWHERE, multipart, new_collection, part, problem, send_multipart

JSON = {"Content-Type": "application/json"}
PIECE = b"a" * 2**16


def operations(text: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Method and address of all that take JSON."""
    for path, methods in text["paths"].items():
        for method, operation in methods.items():
            if "application/json" in operation.get("requestBody", {}).get("content", {}):
                assert "413" in operation["responses"], operation["operationId"]
                yield method, path


def filled(path: str) -> str:
    for name in [piece.partition("}")[0] for piece in path.split("{")[1:]]:
        path = path.replace(f"{{{name}}}", NOWHERE)
    return path


def test_every_operation_that_takes_json_has_a_limit(shared_api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MOST", 1000)
    monkeypatch.setattr(clusterings, "MAX_LABELS_BYTES", 1000)
    found = list(operations(shared_api.get("/openapi.json").json()))
    assert len(found) >= 16
    for method, path in found:
        answer = shared_api.request(method, filled(path), content=iter([b" " * 20_000]), headers=JSON)
        if answer.status_code != 404:  # a route that streams looks for its collection first
            assert answer.status_code == 413, (method, path, answer.text)
            assert answer.json()["code"] in ("body_too_large", "query_too_large", "labels_too_large")


def test_a_declared_body_is_refused_unread(shared_api: TestClient) -> None:
    answer = shared_api.post("/v1/collections", content=b" " * (bodies.MOST + 1), headers=JSON)
    assert f"{bodies.MOST:,} bytes" in problem(answer, 413, "body_too_large")["detail"]


def test_without_a_key_little_is_read(keyed: Keyed) -> None:
    """Not even where everybody may send something: to log in."""
    declared = keyed.client.post("/v1/session", content=b" " * (bodies.MOST_OF_NOBODY + 1), headers=JSON)
    problem(declared, 413, "body_too_large")
    problem(keyed.client.post("/v1/session", content=iter([PIECE] * 300), headers=JSON), 413, "body_too_large")
    problem(keyed.client.post("/v1/collections", content=iter([PIECE]), headers=JSON), 401, "key_required")


def test_fields_without_number(shared_api: TestClient) -> None:
    """Each of them small, all of them kept until the body ends."""
    fields = [(b'Content-Disposition: form-data; name="f%d"' % n, b"x") for n in range(MAX_FIELDS + 1)]
    collection_id = new_collection(shared_api)
    answer = send_multipart(shared_api, collection_id, multipart(*fields, (part(b"a.jpg"), b"x")))
    assert str(MAX_FIELDS) in problem(answer, 422, "multipart_invalid")["detail"]
    answer = send_multipart(shared_api, collection_id, multipart(*fields[:MAX_FIELDS], (part(b"a.jpg"), b"x")))
    assert answer.status_code == 200, answer.text
