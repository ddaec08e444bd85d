"""POST /v1/collections/{id}/imports, and the job that it starts, against a server of this machine."""

import importlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from app.db.tables import Job
from app.images import repository
from app.jobs import ledger
from app.main import create_app
from app.resources import Resources
from app.settings import Settings
from tests.app.calls import NOWHERE, files_below, new_collection, problem
from tests.app.imports.servers import Answer, Server, moved, ok, paths, serving
from tests.fixtures.pictures import jpeg
from tests.fixtures.services import Service, environment
from tests.fixtures.watching import wait_for
from workers.context import Context, Stopped

PICTURES = {f"/birds/{n:04}.jpg": ok(jpeg("red", n, (32, 24))) for n in range(3)}
ODD = {
    "/same.jpg": PICTURES["/birds/0000.jpg"],
    "/moved": moved("/birds/0001.jpg"),
    "/away.jpg": moved("http://169.254.169.254/latest/meta-data/"),
    "/page.html": ok(b"<!doctype html>", "Content-Type: text/html"),
    "/photo.png": PICTURES["/birds/0002.jpg"],
    "/packed.jpg": ok(b"\x1f\x8b", "Content-Encoding: gzip"),
    "/short.jpg": ok(b"\xff\xd8\xff", length=1000),
    "/large.jpg": ok(b"", length=2**40),
}


@dataclass
class Importing:
    """The API in this process, allowed to fetch from one server."""

    client: TestClient
    server: Server

    @property
    def resources(self) -> Resources:
        found: Resources = self.client.app.state.resources  # type: ignore[attr-defined]
        return found

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server.port}{path}"

    def asked(self, collection_id: str, urls: list[str], **headers: str) -> Any:
        return self.client.post(f"/v1/collections/{collection_id}/imports", json={"urls": urls}, headers=headers)

    def attempt(self, job_id: str) -> Context:
        """A claimed job with a folder of its own, to be run here."""
        with self.resources.database.transaction() as session:
            attempt = ledger.claim(session, UUID(job_id), "test", 600)
        with self.resources.database.reading() as session:
            job = session.get_one(Job, UUID(job_id))
        folder = self.resources.settings.scratch / f"{job_id}-{attempt}"
        folder.mkdir()
        return Context(self.resources, job, folder)

    def run(self, context: Context) -> None:
        importlib.import_module(f"workers.jobs.{context.job.kind}").run(context)

    def report(self, job_id: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.client.get(f"/v1/jobs/{job_id}/report").text.splitlines()]


@pytest.fixture(params=["sqlite", "postgresql"])
def importing(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[Answer], Importing]]:
    """Makes one for a server that answers so, once on each database."""
    url = request.getfixturevalue("new_postgres_url")() if request.param == "postgresql" else None
    left: list[Any] = []

    def make(answer: Answer) -> Importing:
        server = serving(answer)
        left.append(server)
        running = server.__enter__()
        settings = Settings(data=tmp_path / "data", database_url=url, import_hosts=f"127.0.0.1:{running.port}")
        client = TestClient(create_app(settings), raise_server_exceptions=False)
        left.append(client)
        return Importing(client.__enter__(), running)

    yield make
    for one in reversed(left):
        one.__exit__(None, None, None)


def test_it_is_off_unless_hosts_are_listed(shared_api: TestClient) -> None:
    collection_id = new_collection(shared_api)
    body = {"urls": ["https://images.example.org/a.jpg"]}
    answer = problem(shared_api.post(f"/v1/collections/{collection_id}/imports", json=body), 403, "import_disabled")
    assert "ROOST_IMPORT_HOSTS" in answer["detail"]
    assert not shared_api.get(f"/v1/jobs?collection={collection_id}").json()["items"]


@pytest.mark.parametrize(
    "body",
    [{}, {"urls": []}, {"urls": [""]}, {"urls": ["a"] * 1001}, {"urls": ["a" * 2001]}, {"urls": "a"}, {"urls": [1]}],
)
def test_what_is_refused_at_once(shared_api: TestClient, body: dict[str, object]) -> None:
    problem(shared_api.post(f"/v1/collections/{new_collection(shared_api)}/imports", json=body), 422, "invalid")


def test_pictures_come_in_and_the_rest_is_named(importing: Callable[[Answer], Importing]) -> None:
    api = importing(paths(PICTURES | ODD))
    collection_id = new_collection(api.client)
    urls = [api.url(path) for path in [*PICTURES, *ODD, "/missing.jpg"]]
    urls += ["http://127.0.0.1:9/a.jpg", "https://127.1/a.jpg", "file:///etc/passwd"]
    answer = api.asked(collection_id, urls)
    job_id = answer.json()["id"]
    assert answer.status_code == 202 and answer.headers["Location"] == f"/v1/jobs/{job_id}"
    assert answer.json()["kind"] == "fetch"
    api.run(api.attempt(job_id))
    job = api.client.get(f"/v1/jobs/{job_id}").json()
    assert job["state"] == "succeeded" and job["result"] == {"created": 3, "duplicates": 2, "rejected": 10}
    found = [(line["name"], line["status"], line.get("code")) for line in api.report(job_id)]
    assert found == [
        ("0000.jpg", "ready", None),
        ("0001.jpg", "ready", None),
        ("0002.jpg", "ready", None),
        ("same.jpg", "duplicate", None),
        ("moved", "duplicate", None),
        (api.url("/away.jpg"), "rejected", "url_refused"),
        ("page.html", "rejected", "image_type_unsupported"),
        ("photo.png", "rejected", "image_type_mismatch"),
        (api.url("/packed.jpg"), "rejected", "url_refused"),
        (api.url("/short.jpg"), "rejected", "url_unreachable"),
        (api.url("/large.jpg"), "rejected", "file_too_large"),
        (api.url("/missing.jpg"), "rejected", "url_status"),
        ("http://127.0.0.1:9/a.jpg", "rejected", "url_refused"),
        ("https://127.1/a.jpg", "rejected", "url_refused"),
        ("file:///etc/passwd", "rejected", "url_refused"),
    ]
    images = api.client.get(f"/v1/collections/{collection_id}/images").json()["items"]
    assert {image["status"] for image in images} == {"ready"}
    for image in images:
        original = api.client.get(f"/v1/images/{image['id']}/file").content
        assert original == jpeg("red", int(image["name"][:4]), (32, 24))
    assert not [path for path in files_below(api.resources.settings.scratch) if path.name.startswith("upload-")]


def test_a_request_sent_twice_is_one_job(importing: Callable[[Answer], Importing]) -> None:
    api = importing(paths(PICTURES))
    collection_id = new_collection(api.client)
    urls = [api.url(path) for path in PICTURES]
    first, second = (api.asked(collection_id, urls, **{"Idempotency-Key": "one"}) for _ in range(2))
    assert first.status_code == second.status_code == 202 and first.json() == second.json()
    inputs = files_below(api.resources.settings.data / f"blobs/collections/{collection_id}/inputs")
    assert len(inputs) == 1, "the list of the second is removed again"
    problem(api.asked(collection_id, urls[:1], **{"Idempotency-Key": "one"}), 422, "idempotency_mismatch")
    problem(api.asked(NOWHERE, urls), 404, "collection_not_found")


def test_an_attempt_that_was_cut_short_is_gone_on_with(importing: Callable[[Answer], Importing]) -> None:
    """What the first attempt brought stays as it was, though its addresses give something else by now."""
    answers = {f"/{n:04}.jpg": ok(jpeg("blue", n, (32, 24))) for n in range(40)}
    contexts: list[Context] = []

    def answer(connection: socket.socket, head: bytes) -> None:
        if b"/0036.jpg" in head and len(contexts) == 1:
            wait_for(lambda: stored() == 32)  # one batch
            contexts[0].stop.set()  # as SIGTERM does
        paths(answers)(connection, head)

    def stored() -> int:
        with api.resources.database.reading() as session:
            return repository.count(session, UUID(collection_id), "pending")

    api = importing(answer)
    collection_id = new_collection(api.client)
    job_id = api.asked(collection_id, [api.url(path) for path in answers]).json()["id"]
    contexts.append(api.attempt(job_id))
    with pytest.raises(Stopped):
        api.run(contexts[0])
    images = api.client.get(f"/v1/collections/{collection_id}/images", params={"limit": 500}).json()["items"]
    assert len(images) == 32
    with api.resources.database.transaction() as session:
        ledger.release(session, UUID(job_id), 1)
    answers |= {path: ok(jpeg("green", 99, (32, 24))) for path in list(answers)[:32]}
    api.server.requests.clear()
    contexts.append(api.attempt(job_id))
    api.run(contexts[1])
    job = api.client.get(f"/v1/jobs/{job_id}").json()
    assert job["result"] == {"created": 40, "duplicates": 0, "rejected": 0} and job["attempt"] == 2
    after = api.client.get(f"/v1/collections/{collection_id}/images", params={"limit": 500}).json()["items"]
    assert {image["id"]: image["sha256"] for image in images}.items() <= {
        image["id"]: image["sha256"] for image in after
    }.items()
    assert len(after) == 40 and len(api.report(job_id)) == 40
    asked = {head.split(b" ", 2)[1].decode() for head in api.server.requests}
    assert not asked & set(list(answers)[:32])


class Gate:
    """Answers with pictures at once, but what is behind the gate only when it is opened."""

    def __init__(self, behind: int, pictures: int) -> None:
        self.opened = threading.Event()
        self.reached = threading.Event()
        self.behind = {f"/{n:04}.jpg" for n in range(behind, pictures)}
        self.answers = paths({f"/{n:04}.jpg": ok(jpeg("green", n, (32, 24))) for n in range(pictures)})

    def __call__(self, connection: socket.socket, head: bytes) -> None:
        if head.split(b" ", 2)[1].decode() in self.behind:
            self.reached.set()
            self.opened.wait(240)
        self.answers(connection, head)


@pytest.mark.slow
@pytest.mark.timeout(480)
def test_killed_it_goes_on_and_cancelled_it_stops(tmp_path: Path) -> None:
    gate = Gate(40, 60)
    data = tmp_path / "data"
    with serving(gate) as server:
        more = {"ROOST_IMPORT_HOSTS": f"127.0.0.1:{server.port}", "ROOST_IMPORT_SECONDS": "300"}
        service = Service(data, environment(data, **more)).start()
        try:
            collection_id = new_collection(service.client)
            urls = [f"http://127.0.0.1:{server.port}/{n:04}.jpg" for n in range(60)]
            images = f"/v1/collections/{collection_id}/images"

            def ask() -> str:
                answer = service.client.post(f"/v1/collections/{collection_id}/imports", json={"urls": urls})
                return str(answer.json()["id"])

            job_id = ask()
            wait_for(lambda: service.client.get(f"/v1/collections/{collection_id}").json()["images"]["pending"], 120)
            shown = service.client.get(f"/v1/jobs/{job_id}").json()
            assert (shown["stage"], shown["progress"]["total"], shown["progress"]["unit"]) == ("fetch", 60, "addresses")
            service.kill()
            gate.opened.set()
            service.start()
            done = service.job(job_id, 240)
            assert done["result"] == {"created": 60, "duplicates": 0, "rejected": 0} and done["attempt"] == 2
            stored = [path for path in (data / "blobs").rglob("originals/*/*") if path.is_file()]
            assert len(service.pages(images)) == len(stored) == 60

            gate.opened.clear()
            gate.reached.clear()
            job_id = ask()
            assert gate.reached.wait(120)
            service.client.post(f"/v1/jobs/{job_id}/cancel")
            assert service.job(job_id)["state"] == "cancelled", "while its addresses still say nothing"
        finally:
            gate.opened.set()
            service.stop()


def test_a_running_service_fetches(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(paths(PICTURES)) as server:
        service = Service(data, environment(data, ROOST_IMPORT_HOSTS=f"127.0.0.1:{server.port}")).start()
        try:
            collection_id = new_collection(service.client)
            urls = [f"http://127.0.0.1:{server.port}{path}" for path in [*PICTURES, "/missing.jpg"]]
            asked = service.client.post(f"/v1/collections/{collection_id}/imports", json={"urls": urls}).json()
            done = service.job(asked["id"])
            assert done["state"] == "succeeded" and done["result"] == {"created": 3, "duplicates": 0, "rejected": 1}
            for image in service.pages(f"/v1/collections/{collection_id}/images"):
                thumbnail = service.client.get(f"/v1/images/{image['id']}/thumbnail")
                assert thumbnail.status_code == 200 and thumbnail.headers["content-type"] == "image/jpeg"
        finally:
            service.stop()
