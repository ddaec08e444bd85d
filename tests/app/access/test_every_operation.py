"""Every operation of the OpenAPI text itself, for who has no key, another's key, or one that may only read."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.access.middleware import needs_no_key
from app.access.scopes import LEVELS
from app.db.tables import Image
from app.images import service as images_service
from tests.app.access.conftest import Keyed
from tests.app.test_conformance import audited, edited, finetuned, propagated, suggested
from tests.app.test_openapi import example
from tests.app.uploads.speaking import OFFSETS, begin
from tests.fixtures.clusterings import Gallery, blobs
from tests.fixtures.pictures import jpeg

SECRET = "adas-secret-garden"
METHODS = ("get", "head", "options", "post", "put", "patch", "delete")
ALIKE = "GET /v1/collections/{collection_id}/duplicates/{image_id}"  # nobody looked for any
FOLLOW = "GET /v1/jobs/{job_id}/events"  # goes on until the job ends; see test_streams.py
IN_PARAMETERS = {"GET /v1/uploads", "POST /v1/uploads"}  # that name a collection elsewhere than in the path
OF_ADMINS = {"key_id", "owner_id"}  # what they may see of others: keys and quotas, never pictures
BODIES = {  # where the text has no example that could be sent
    "multipart/form-data": {"files": {"files": ("a.jpg", jpeg("red", 1, (32, 24)), "image/jpeg")}},
    OFFSETS: {"content": b"bytes"},
}
HEADERS = {  # so that the body is looked at, not only how it came
    "If-Match": "*",
    "Tus-Resumable": "1.0.0",
    "Upload-Offset": "0",
    "Upload-Length": "5",
    "X-HTTP-Method-Override": "PATCH",
}


@dataclass
class Operation:
    method: str
    path: str
    text: dict[str, Any]

    @property
    def label(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def scope(self) -> str:
        return str(self.text["x-scope"])

    def names(self) -> set[str]:
        return {one["name"] for one in self.text.get("parameters", []) if one["in"] == "path"}


@dataclass
class Belongings:
    """What Ada has: an id for each name that a path may have in it."""

    keyed: Keyed
    ids: dict[str, str]
    adas: dict[str, str]

    def operations(self) -> Iterator[Operation]:
        text = self.keyed.client.get("/openapi.json").json()
        for path, item in text["paths"].items():
            for method in METHODS:
                if method in item:
                    yield Operation(method, path, item[method])

    def call(self, operation: Operation, headers: dict[str, str]) -> Any:
        """A request that would be answered well if Ada made it, as far as the text's examples go."""
        assert operation.names() <= self.ids.keys(), f"{operation.label}: say here what Ada has of this kind"
        address = operation.path.format(**self.ids)
        query = {"collection": self.ids["collection_id"]} if operation.path == "/v1/uploads" else None
        body = self.body(operation)
        kind = {"Content-Type": OFFSETS} if body is BODIES[OFFSETS] else {}
        sent = HEADERS | headers | kind | {"Upload-Metadata": f"filename YQ==,collection {self.encoded}"}
        return self.keyed.client.request(
            operation.method.upper(),
            address,
            headers=sent,
            params=query or self.required(operation),
            **body,
        )

    @property
    def encoded(self) -> str:
        return base64.b64encode(self.ids["collection_id"].encode()).decode()

    def required(self, operation: Operation) -> dict[str, str]:
        wanted = (one for one in operation.text.get("parameters", []) if one["in"] == "query" and one.get("required"))
        return {one["name"]: str(one["schema"]["enum"][0]) for one in wanted}

    def body(self, operation: Operation) -> dict[str, Any]:
        content = operation.text.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            openapi = self.keyed.client.get("/openapi.json").json()
            return {"json": example(openapi, content["application/json"])}
        return next((body for kind, body in BODIES.items() if kind in content), {})


@pytest.fixture
def adas(keyed: Keyed) -> Belongings:
    """A sorted gallery with all that can be made of one, as far as it can be had without jobs."""
    client, headers = keyed.client, keyed.headers("ada", "admin")
    with keyed.called_by("ada") as ada:
        gallery = Gallery.make(keyed.resources)
    vectors, truth = blobs(4, 3)  # the text's example of an edit is about a fourth cluster
    gallery.add(vectors)
    clustering = str(gallery.cluster(truth))
    image = gallery.images[0]
    _drawn(keyed, gallery.collection_id, image)
    client.headers.update(headers)
    try:
        collection = str(gallery.collection_id)
        client.patch(f"/v1/collections/{collection}", json={"name": SECRET}, headers={"If-Match": "*"})
        job = client.post(f"/v1/clusterings/{clustering}/assign").json()["id"]
        ids = {
            "n": "0",
            "collection_id": collection,
            "image_id": str(image),
            "clustering_id": suggested(client, clustering),
            "other_id": clustering,
            "job_id": job,
            "encoder_id": finetuned(client, collection),
            "edit_id": edited(client, clustering),
            "propagation_id": propagated(client, clustering),
            "audit_id": audited(client, clustering),
            "upload_id": begin(client, collection, 5).rpartition("/")[2],
            "key_id": client.get("/v1/keys").json()["items"][0]["id"],
            "owner_id": str(ada.owner_id),
        }
    finally:
        del client.headers["Authorization"]
    return Belongings(keyed, ids, headers)


def _drawn(keyed: Keyed, collection_id: UUID, image_id: UUID) -> None:
    """Give one image its picture."""
    with keyed.resources.database.transaction() as session:
        row = session.get_one(Image, image_id)
        row.name = f"{SECRET}.jpg"
        original = images_service.original_key(collection_id, image_id, row.sha256)
    for key in (original, images_service.working_key(collection_id, image_id)):
        path = keyed.resources.settings.scratch / f"{uuid4()}.jpg"
        path.write_bytes(jpeg("red", 0, (64, 48)))
        keyed.resources.storage.put([(path, key)])


def test_without_a_key_nothing_is_answered(adas: Belongings) -> None:
    for operation in adas.operations():
        address = operation.path.format(**adas.ids)
        answer = adas.keyed.client.request(operation.method.upper(), address, content=b"{")
        assert (operation.scope == "none") == needs_no_key(operation.method.upper(), operation.path), operation.label
        if operation.scope != "none":
            assert answer.status_code == 401, operation.label
            assert answer.headers["www-authenticate"] == "Bearer"
            assert not answer.content or answer.json()["code"] == "key_required", operation.label


def test_a_key_that_reads_changes_nothing(adas: Belongings) -> None:
    reads = adas.keyed.headers("ada", "read")
    for operation in adas.operations():
        if operation.scope == "none" or operation.label == FOLLOW:
            continue
        answer = adas.call(operation, reads)
        if LEVELS[operation.scope] > LEVELS["read"]:
            assert answer.status_code == 403 and answer.json()["code"] == "scope_too_small", operation.label
        else:
            assert answer.status_code not in (401, 403), (operation.label, answer.text)


@pytest.mark.parametrize("scope", ["write", "admin"])
def test_with_the_key_of_another_nothing_is_there(adas: Belongings, scope: str) -> None:
    """Not even for an admin. Whatever names something of Ada's is answered as if there were nothing."""
    bobs = adas.keyed.headers("bob", scope)  # type: ignore[arg-type]
    hidden = {SECRET, *(one for name, one in adas.ids.items() if name not in {"n"} | OF_ADMINS)}
    for operation in adas.operations():
        answer = adas.call(operation, bobs)
        if LEVELS[operation.scope] > LEVELS[scope]:
            assert answer.status_code == 403, operation.label
        elif operation.names() - {"n"} - OF_ADMINS or operation.label in IN_PARAMETERS:
            assert answer.status_code == 404, (operation.label, answer.status_code, answer.text)
        elif operation.path not in ("/v1/audit-log",):  # which tells admins who asked for what
            assert not [one for one in hidden if one in answer.text], operation.label


def test_what_is_hidden_from_others_is_there_for_its_owner(adas: Belongings) -> None:
    """Or the tests above would find nothing because nothing is there."""
    asked, found = set(), set()
    for operation in adas.operations():
        if operation.method in ("get", "head") and operation.names() and operation.label != FOLLOW:
            asked.add(operation.label)
            found |= {operation.label} if adas.call(operation, adas.adas).status_code < 400 else set()
    assert asked - found == {
        "GET /v1/jobs/{job_id}/report",  # its job writes none
        "GET /v1/jobs/{job_id}/training",
        "GET /v1/clusterings/{clustering_id}/map",  # nobody has drawn it
        "GET /v1/clusterings/{clustering_id}/outliers",  # nor scored its images
        ALIKE,
    }


def test_no_operation_misses_what_its_owner_has(adas: Belongings) -> None:
    """Or its 404 to another's key would not be about the key."""

    def order(operation: Operation) -> tuple[bool, bool]:
        return operation.method == "delete", operation.path == "/v1/collections/{collection_id}"

    for operation in sorted(adas.operations(), key=order):
        if operation.names() and operation.label not in (FOLLOW, ALIKE):
            answer = adas.call(operation, adas.adas)
            assert answer.status_code not in (401, 403, 404), (operation.label, answer.text)
