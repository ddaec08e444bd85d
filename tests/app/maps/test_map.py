"""Maps as a job stores and extends them and as the API shows them, on both databases."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from app.db.tables import Assignment, Clustering, EmbeddingSet, Image, Job
from app.jobs import ledger
from app.maps import file
from app.resources import Resources
from tests.app.calls import NOWHERE, files_below, problem
from tests.app.conftest import Sorted
from tests.fixtures.clusterings import Gallery, blobs
from workers.context import Context, Stopped
from workers.jobs import map as job
from workers.jobs.map import ensure_map

ARROW = "application/vnd.apache.arrow.stream"


class Mapped:
    """Forty images in four clusters, without a map at first."""

    def __init__(self, api: TestClient, folder: Path) -> None:
        self.api, self.folder = api, folder
        self.resources: Resources = api.app.state.resources  # type: ignore[attr-defined]
        self.gallery = Gallery.make(self.resources)
        self.vectors, self.truth = blobs(4, 12)
        self.gallery.add(self.vectors[:40])
        self.clustering_id = self.gallery.cluster(self.truth[:40])
        self.path = f"/v1/clusterings/{self.clustering_id}/map"

    def context(self) -> Context:
        with self.resources.database.transaction() as session:
            made = ledger.submit(session, "assign", collection_id=self.gallery.collection_id, params={}, queue="none")
        with self.resources.database.transaction() as session:
            attempt = ledger.claim(session, made.id, "test", 600)
        with self.resources.database.reading() as session:
            row = session.get_one(Job, made.id)
        assert row.attempt == attempt
        return Context(self.resources, row, self.folder)

    def ensure(self, context: Context | None = None) -> None:
        with self.resources.database.reading() as session:
            embedding_set = session.get_one(EmbeddingSet, self.gallery.set_id)
        ensure_map(context or self.context(), self.clustering_id, embedding_set)

    def assign(self, image_ids: list[UUID], number: int | None) -> None:
        with self.resources.database.transaction() as session:
            for image_id in image_ids:
                session.add(
                    Assignment(
                        clustering_id=self.clustering_id, image_id=image_id, number=number, run_number=0, distance=0.1
                    )
                )
            session.get_one(Clustering, self.clustering_id).revision += 1

    def delete(self, *image_ids: UUID) -> None:
        with self.resources.database.transaction() as session:
            for image_id in image_ids:
                session.delete(session.get_one(Image, image_id))

    def get(self, **params: Any) -> httpx.Response:
        answer = self.api.get(self.path, params=params)
        assert answer.status_code == 200, answer.text
        return answer

    def table(self) -> dict[UUID, tuple[float, float, int | None]]:
        rows = pa.ipc.open_stream(self.get().content).read_all().to_pylist()
        return {row["image_id"]: (row["x"], row["y"], row["cluster"]) for row in rows}

    def stored(self) -> list[Path]:
        with self.resources.database.reading() as session:
            key = session.get_one(Clustering, self.clustering_id).map_key
        assert key is not None
        return files_below(self.resources.storage.local(key).parent)


@pytest.fixture
def mapped(shared_api: TestClient, tmp_path: Path) -> Iterator[Mapped]:
    return Mapped(shared_api, tmp_path)


def test_every_image_has_a_place_and_its_cluster_of_now(mapped: Mapped) -> None:
    mapped.ensure()
    table = mapped.table()
    assert set(table) == set(mapped.gallery.images) and len({place[:2] for place in table.values()}) == 40
    found = np.array([table[image_id][:2] for image_id in mapped.gallery.images])
    apart = np.linalg.norm(found[:, None] - found[None], axis=-1) + np.diag(np.full(40, np.inf))
    assert (mapped.truth[apart.argmin(axis=1)] == mapped.truth[:40]).all(), "neighbours are of one group"
    moved = mapped.gallery.images[3]
    with mapped.resources.database.transaction() as session:
        row = session.get_one(Assignment, (mapped.clustering_id, moved))
        row.number = None
        session.get_one(Clustering, mapped.clustering_id).revision += 1
    assert mapped.table() == table | {moved: (*table[moved][:2], None)}


def test_what_comes_later_joins_and_nothing_moves(mapped: Mapped, monkeypatch: pytest.MonkeyPatch) -> None:
    mapped.ensure()
    before = mapped.table()
    new = mapped.gallery.add(np.concatenate([mapped.vectors[40:44], mapped.vectors[:1]]))
    mapped.assign(new, 0)
    assert mapped.table() == before, "an image that is on no map yet is left out"
    gone = mapped.gallery.images[7]
    mapped.delete(gone)
    monkeypatch.setattr(job, "BATCH", 3)
    monkeypatch.setattr(job, "ANCHORS", 30)
    mapped.ensure()
    after = mapped.table()
    assert set(after) == set(before) - {gone} | set(new)
    assert all(after[image_id] == before[image_id] for image_id in set(before) - {gone})
    assert len(mapped.stored()) == 1, "the map before it is gone"
    stored = mapped.stored()
    mapped.ensure()
    assert mapped.stored() == stored, "there was nothing to do"


def test_all_that_was_on_it_is_gone(mapped: Mapped) -> None:
    mapped.ensure()
    mapped.delete(*mapped.gallery.images)
    assert mapped.table() == {}
    mapped.ensure()
    new = mapped.gallery.add(mapped.vectors[40:])
    mapped.assign(new, 1)
    mapped.ensure()
    assert set(mapped.table()) == set(new)


def test_a_job_that_was_stopped_leaves_no_map(mapped: Mapped) -> None:
    context = mapped.context()
    context.stop.set()
    with pytest.raises(Stopped):
        mapped.ensure(context)
    problem(mapped.api.get(mapped.path), 409, "map_not_ready")


def test_what_a_killed_attempt_stored_is_removed(mapped: Mapped) -> None:
    mapped.ensure()
    orphan = mapped.stored()[0].with_name("orphan.arrow")
    orphan.write_bytes(b"")
    mapped.ensure()
    assert not orphan.exists() and len(mapped.stored()) == 1


def test_the_formats_agree(mapped: Mapped) -> None:
    mapped.ensure()
    mapped.delete(mapped.gallery.images[0])
    mapped.assign(mapped.gallery.add(mapped.vectors[40:41]), None)
    mapped.ensure()
    table = mapped.table()
    ids = [UUID(bytes=raw.tobytes()) for raw in np.frombuffer(mapped.get(format="ids").content, "V16")]
    points = np.frombuffer(mapped.get(format="float32").content, "<f4").reshape(-1, 2)
    clusters = np.frombuffer(mapped.get(format="clusters").content, "<i4")
    assert ids == list(table) and clusters.tolist() == [-1 if row[2] is None else row[2] for row in table.values()]
    np.testing.assert_array_equal(points, [row[:2] for row in table.values()])
    for accept, kind in (
        ("application/octet-stream", "application/octet-stream"),
        ("*/*", ARROW),
        (ARROW, ARROW),
        (f"{ARROW}, application/octet-stream;q=0.5", ARROW),
    ):
        answer = mapped.api.get(mapped.path, headers={"Accept": accept})
        assert answer.headers["content-type"] == kind
    problem(mapped.api.get(mapped.path, params={"format": "svg"}), 422, "invalid")


def test_an_etag_for_each_state_and_format(mapped: Mapped) -> None:
    mapped.ensure()
    seen = [mapped.get(format=name).headers["etag"] for name in ("arrow", "float32", "ids", "clusters")]
    again = mapped.api.get(mapped.path, headers={"If-None-Match": f'"other", W/{seen[0]}'})
    assert again.status_code == 304 and again.content == b"" and again.headers["etag"] == seen[0]
    assert mapped.api.get(mapped.path, headers={"If-None-Match": "*"}).status_code == 304
    assert mapped.api.get(mapped.path, headers={"If-None-Match": seen[1]}).status_code == 200
    mapped.delete(mapped.gallery.images[0])
    seen.append(mapped.get().headers["etag"])
    mapped.assign(mapped.gallery.add(mapped.vectors[40:41]), 0)
    seen.append(mapped.get().headers["etag"])
    mapped.ensure()
    seen.append(mapped.get().headers["etag"])
    assert len(set(seen)) == len(seen)


def test_what_is_not_there(mapped: Mapped) -> None:
    problem(mapped.api.get(f"/v1/clusterings/{NOWHERE}/map"), 404, "clustering_not_found")
    answer = mapped.api.get(mapped.path)
    assert "/assign" in problem(answer, 409, "map_not_ready")["detail"]
    mapped.ensure()
    mapped.stored()[0].unlink()
    problem(mapped.api.get(mapped.path), 404, "file_missing")


def test_a_file_of_many_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "ROWS", 7)
    rng = np.random.default_rng(0)
    made = file.Block(rng.integers(0, 256, (30, 16), np.uint8), rng.standard_normal((30, 2)).astype(np.float32))
    opened = file.MapFile(file.write(tmp_path / "map.arrow", made))
    assert [len(block.ids) for block in opened.blocks()] == [7, 7, 7, 7, 2]
    (tmp_path / "map.arrow").unlink()
    np.testing.assert_array_equal(opened.whole().ids, made.ids)  # it stays readable when it is replaced
    np.testing.assert_array_equal(opened.whole().points, made.points)


def test_a_clustering_of_a_real_job_has_a_map(sorted_gallery: Sorted) -> None:
    path = f"/v1/clusterings/{sorted_gallery.clustering['id']}/map"
    table = pa.ipc.open_stream(sorted_gallery.client.get(path).content).read_all()
    assert {str(one) for one in table["image_id"].to_pylist()} == {image["id"] for image in sorted_gallery.images}


def test_the_front_imports_no_arrow() -> None:
    code = "import sys, app.main; print(sorted({'pyarrow', 'faiss', 'scipy', 'umap'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
