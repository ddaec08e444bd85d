"""The job's index: its kind by size, built again when that or the vectors change, searched over HTTP whatever it is."""

import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

import models.index
from app.db.tables import EmbeddingSet, Image, Job
from app.embeddings import repository as embeddings
from app.jobs import ledger
from app.resources import Resources
from models.index.rows import VECTORS
from tests.app.calls import problem
from tests.app.search.test_search import search
from tests.fixtures.clusterings import Gallery, blobs
from workers.context import Context
from workers.jobs.index import ensure_index


def build(resources: Resources, gallery: Gallery, folder: Path) -> list[str]:
    """Run the stage as a job would; the kinds of all generations, newest first."""
    with resources.database.transaction() as session:
        made = ledger.submit(session, "assign", collection_id=gallery.collection_id, params={}, queue="none")
    with resources.database.transaction() as session:
        ledger.claim(session, made.id, "test", 600)
    with resources.database.reading() as session:
        job, embedding_set = session.get_one(Job, made.id), session.get_one(EmbeddingSet, gallery.set_id)
    folder.mkdir()
    ensure_index(Context(resources, job, folder), embedding_set)
    with resources.database.reading() as session:
        return [row.kind for row in embeddings.indexes(session, gallery.set_id)]


def test_the_kind_changes_with_the_size(
    shared_api: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models.index, "EXACT_BELOW", 60)
    resources: Resources = shared_api.app.state.resources  # type: ignore[attr-defined]
    gallery, (vectors, truth) = Gallery.make(resources), blobs(4, 25)
    gallery.add(vectors[:50])
    assert build(resources, gallery, tmp_path / "first") == ["exact"]
    assert build(resources, gallery, tmp_path / "again") == ["exact"], "there was nothing to do"
    gallery.add(vectors[50:])
    assert build(resources, gallery, tmp_path / "larger") == ["ivf", "exact"]
    answer = search(shared_api, str(gallery.collection_id), {"image_id": str(gallery.images[0])}, k=24)
    hits = [hit["image_id"] for hit in answer.json()["hits"]]
    assert sorted(hits) == sorted(str(one) for one, group in zip(gallery.images, truth, strict=True) if group == 0)[1:]
    monkeypatch.setattr(models.index, "EXACT_BELOW", 1000)
    assert build(resources, gallery, tmp_path / "limit") == ["exact", "ivf"], "another kind suits it now"


def test_a_box_on_an_image_that_is_not_decoded(shared_api: TestClient, tmp_path: Path) -> None:
    resources: Resources = shared_api.app.state.resources  # type: ignore[attr-defined]
    gallery = Gallery.make(resources)
    gallery.add(blobs(1, 3)[0])
    build(resources, gallery, tmp_path / "index")
    ask = {"image_id": str(gallery.images[0]), "box": [0, 0, 1, 1]}
    problem(search(shared_api, str(gallery.collection_id), ask), 404, "file_missing")
    with resources.database.transaction() as session:
        session.get_one(Image, gallery.images[0]).status = "pending"
    problem(search(shared_api, str(gallery.collection_id), ask), 409, "image_pending")


@pytest.mark.parametrize("damage", ["deleted", "flipped", "swapped"])
def test_a_damaged_index_is_built_again(shared_api: TestClient, tmp_path: Path, damage: str) -> None:
    """The next job that needs the index notices, and what it builds finds what comparing with all finds."""
    resources: Resources = shared_api.app.state.resources  # type: ignore[attr-defined]
    gallery, other, vectors = Gallery.make(resources), Gallery.make(resources), blobs(4, 12)[0]
    files = []
    for one, rows in ((gallery, vectors), (other, vectors[::-1])):
        one.add(rows)
        assert build(resources, one, tmp_path / str(one.set_id)) == ["exact"]
        with resources.database.reading() as session:
            files.append(resources.storage.local(embeddings.indexes(session, one.set_id)[0].key) / VECTORS)
    if damage == "deleted":
        files[0].unlink()
    elif damage == "flipped":
        content = bytearray(files[0].read_bytes())
        content[len(content) // 2] ^= 1
        files[0].write_bytes(content)
    else:
        shutil.copy(files[1], files[0])
    assert build(resources, gallery, tmp_path / "again") == ["exact", "exact"]
    answer = search(shared_api, str(gallery.collection_id), {"image_id": str(gallery.images[0])}, k=47)
    nearest = np.argsort(-(vectors @ vectors[0]))[1:]
    assert [hit["image_id"] for hit in answer.json()["hits"]] == [str(gallery.images[n]) for n in nearest]


def test_an_index_that_was_changed_is_noticed_once_it_is_open(shared_api: TestClient, tmp_path: Path) -> None:
    """Its size is right, so searching begins; meanwhile every byte is read, and then it is out of use."""
    resources: Resources = shared_api.app.state.resources  # type: ignore[attr-defined]
    gallery, vectors = Gallery.make(resources), blobs(4, 12)[0]
    gallery.add(vectors)
    build(resources, gallery, tmp_path / "index")
    with resources.database.reading() as session:
        path = resources.storage.local(embeddings.indexes(session, gallery.set_id)[0].key) / VECTORS
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    ask, until = {"image_id": str(gallery.images[0])}, time.monotonic() + 10
    while (answer := search(shared_api, str(gallery.collection_id), ask)).status_code == 200:
        assert time.monotonic() < until, "the flipped bit is not noticed"
        time.sleep(0.02)
    problem(answer, 503, "index_damaged")
    build(resources, gallery, tmp_path / "again")
    assert search(shared_api, str(gallery.collection_id), ask, k=47).status_code == 200
