"""The job's index: its kind by size, built again when that or the vectors change, searched over HTTP whatever it is."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import models.index
from app.db.tables import EmbeddingSet, Image, Job
from app.embeddings import repository as embeddings
from app.jobs import ledger
from app.resources import Resources
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
