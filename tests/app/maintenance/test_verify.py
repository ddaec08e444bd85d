"""Each kind of damage is found, by name, and what can be made again is made again by the command."""

import errno
import json
import shutil
import subprocess
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import delete, select, text, update
from typer.testing import CliRunner

from app.cli import app
from app.collections.service import prefix
from app.db.tables import Assignment, Embedding, EmbeddingShard, Image, SearchIndex
from app.errors import Invalid, Unavailable
from app.images.service import large_key, original_key, working_key
from app.maintenance.orphans import GRACE_S
from app.maintenance.owner import opened
from app.maintenance.verify import verify
from app.storage.file import FileStorage
from models.index import open_index
from tests.app.maintenance.conftest import DeleteTheLast, Kept, flip, keys, ready
from tests.fixtures.services import ROOST, environment


def roost(command: str, kept: Kept, *more: object) -> subprocess.CompletedProcess[str]:
    line = [ROOST, command, *map(str, more), "--data", str(kept.data)]
    return subprocess.run(line, capture_output=True, text=True, env=environment(kept.data), timeout=200, check=False)


def test_whole_data_are_clean(kept: Kept) -> None:
    run = roost("verify", kept, "--json")
    assert (run.returncode, json.loads(run.stdout)) == (0, {"clean": True, "findings": []}), run.stderr
    image = ready(kept)
    assert kept.blob(large_key(image.collection_id, image.id)).exists(), "what is made on request is named too"


@pytest.mark.parametrize("what", ["shard", "index", "centres", "tree", "map", "encoder"])
def test_what_is_gone_is_missing(kept: Kept, what: str) -> None:
    path = kept.blob(keys(kept)[what])
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert kept.found() == {("missing", what)}


@pytest.mark.parametrize("file", ["vectors.f32", "ids.bin", "manifest.json"])
def test_a_flipped_byte_of_an_index(kept: Kept, file: str) -> None:
    flip(kept.blob(keys(kept)["index"]) / file)
    assert kept.found() == {("mismatched", "index")}


@pytest.mark.parametrize("file", ["model.safetensors", "model.bin", "encoder.json"])
def test_a_damaged_encoder(kept: Kept, file: str) -> None:
    path = kept.blob(keys(kept)["encoder"]) / file
    path.write_bytes(path.read_bytes()[:-100])
    assert kept.found() == {("mismatched", "encoder")}


@pytest.mark.parametrize("what", ["shard", "centres", "map"])
def test_a_file_cut_short(kept: Kept, what: str) -> None:
    path = kept.blob(keys(kept)[what])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert kept.found() == {("mismatched", what)}


def test_a_flipped_byte_of_a_picture(kept: Kept) -> None:
    image = ready(kept)
    flip(kept.blob(original_key(image.collection_id, image.id, image.sha256)))
    assert kept.found() == {("mismatched", "original")}
    assert image.pixels_sha256, "the job has searched for near-duplicates"
    flip(kept.blob(working_key(image.collection_id, image.id)))
    assert kept.found() == {("mismatched", "original"), ("mismatched", "working copy")}


def test_a_copy_without_a_hash_must_decode(kept: Kept) -> None:
    image = ready(kept)
    with kept.res.database.transaction() as session:
        session.execute(update(Image).values(pixels_sha256=None))
    assert kept.findings() == []
    path = kept.blob(working_key(image.collection_id, image.id))
    path.write_bytes(path.read_bytes()[:-200])
    assert kept.found() == {("mismatched", "working copy")}


def test_index_and_database_disagree(kept: Kept) -> None:
    """A deleted image may still be in the index; an embedding of its generation must be, and the count is the row's."""
    image = ready(kept)
    with kept.res.database.transaction() as session:
        session.execute(delete(Embedding).where(Embedding.image_id == image.id))
    assert kept.findings() == []
    with kept.res.database.transaction() as session:
        other = session.scalars(select(Image.id).where(Image.status == "rejected")).one()
        shard = session.scalars(select(EmbeddingShard)).one()
        session.add(Embedding(set_id=shard.set_id, image_id=other, shard_id=shard.id, row=shard.rows))
    assert {str(one.detail) for one in kept.findings()} == {
        "it lacks 1 of the 12 embeddings of its generation",
        "an embedding is said to be in row 12, and it has 12",
    }
    with kept.res.database.transaction() as session:
        session.execute(delete(Embedding).where(Embedding.image_id == other))
        session.execute(update(SearchIndex).values(count=13))
    assert kept.found() == {("mismatched", "index")}


def test_blobs_that_nobody_names(kept: Kept) -> None:
    home = prefix(ready(kept).collection_id)
    wanted = {f"{home}/originals/00/x", f"{home}/working/00/y.jpg", "collections/elsewhere/z", "probes/p"}
    for key in wanted:
        kept.blob(key).parent.mkdir(parents=True, exist_ok=True)
        kept.blob(key).write_bytes(b"x")
    assert {one.key for one in kept.findings()} == wanted and kept.found() == {("orphaned", "blob")}


def test_beside_a_service_at_work(kept: Kept) -> None:
    """What is too young may still get its row, and what is deleted meanwhile was never missing."""
    home = prefix(ready(kept).collection_id)
    kept.blob(f"{home}/originals/young").write_bytes(b"x")
    last = DeleteTheLast(kept)
    assert verify(kept.res, GRACE_S, last) == [] and last.gone
    kept.blob(keys(kept)["map"]).unlink()
    assert [one.what for one in verify(kept.res, GRACE_S, last)] == ["map"]


def test_another_schema(kept: Kept) -> None:
    with kept.res.database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(Invalid, match="schema 0001"), opened(kept.res.settings):
        pass


@pytest.mark.slow
def test_repair_makes_again_what_it_can(kept: Kept) -> None:
    """A working copy, shard, index and map come back; the image without an original is rejected; the orphan goes."""
    first, second, lost = _three_ready(kept)
    vectors = indexed(kept)
    kept.blob(working_key(first.collection_id, first.id)).unlink()
    flip(kept.blob(working_key(second.collection_id, second.id)))
    kept.blob(original_key(lost.collection_id, lost.id, lost.sha256)).unlink()
    orphan = kept.blob("collections/elsewhere/z")
    orphan.parent.mkdir()
    orphan.write_bytes(b"x")
    found = keys(kept)
    for what in ("shard", "map"):
        path = kept.blob(found[what])
        path.write_bytes(path.read_bytes()[:-64])
    flip(kept.blob(found["index"]) / "ids.bin")
    kept.res.close()
    run = roost("verify", kept)
    assert run.returncode == 1 and "7 findings" in run.stdout, run.stderr
    assert sum(line.startswith(("missing ", "orphaned ", "mismatched ")) for line in run.stdout.splitlines()) == 7
    run = roost("verify", kept, "--repair")
    assert run.returncode == 0 and "clean" in run.stdout, run.stdout + run.stderr
    assert kept.findings() == [] and not orphan.exists()
    with kept.res.database.reading() as session:
        states = {one.id: (one.status, one.error_code) for one in session.scalars(select(Image))}
        assert session.scalars(select(Assignment).where(Assignment.image_id == lost.id)).first() is None
    assert states[lost.id] == ("rejected", "file_missing") and states[first.id] == ("ready", None)
    again = indexed(kept)
    assert set(again) == set(vectors) - {lost.id}
    assert all(float(again[one] @ vectors[one]) > 0.999 for one in again)


def test_a_damaged_original_is_left_for_a_person(kept: Kept) -> None:
    image = ready(kept)
    original = kept.blob(original_key(image.collection_id, image.id, image.sha256))
    flip(original)
    kept.blob(working_key(image.collection_id, image.id)).unlink()
    damaged = original.read_bytes()
    run = roost("verify", kept, "--repair", "--json")
    assert run.returncode == 1
    assert {one["what"] for one in json.loads(run.stdout)["findings"]} == {"original", "working copy"}
    assert original.read_bytes() == damaged


@pytest.mark.parametrize("error", [Unavailable("Away.", code="storage_unavailable"), OSError(errno.ESTALE, "Stale")])
def test_a_store_that_is_away_is_no_damage(kept: Kept, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Else `--repair` would delete and make again what is whole."""

    def away(*_: object) -> None:
        raise error

    monkeypatch.setattr(FileStorage, "local", away)
    with pytest.raises(type(error)):
        kept.findings()


def test_a_folder_without_data_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOST_DATA", "elsewhere")
    for command in (["verify"], ["gc"], ["backup", str(tmp_path / "copy")]):
        run = CliRunner().invoke(app, [*command, "--data", str(tmp_path / "empty")])
        assert run.exit_code == 1 and "There is no roost.db" in run.output
    assert list(tmp_path.iterdir()) == []


def indexed(kept: Kept) -> dict[UUID, NDArray[np.float32]]:
    """The vector of each image as the newest index has it."""
    with kept.res.database.reading() as session:
        row = session.scalars(select(SearchIndex).order_by(SearchIndex.id.desc()).limit(1)).one()
        images = session.scalars(select(Image.id).where(Image.status != "pending")).all()
    index = open_index(kept.blob(row.key))
    return {one: vector for one in images if (vector := index.vector(one)) is not None}


def _three_ready(kept: Kept) -> tuple[Image, Image, Image]:
    with kept.res.database.reading() as session:
        first, second, third = session.scalars(select(Image).where(Image.status == "ready").limit(3))
    return first, second, third
