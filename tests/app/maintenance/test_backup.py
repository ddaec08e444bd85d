"""A backup made while people upload and delete is whole; a damaged one is named and changes nothing."""

import itertools
import shutil
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from typer.testing import CliRunner

from app.cli import app
from app.db.tables import Image, Job
from app.errors import Invalid
from app.images.service import original_key
from app.main import create_app
from app.maintenance import manifest
from app.maintenance.backup import BackedUp, backup
from app.maintenance.restore import restore
from app.maintenance.verify import verify
from app.resources import Resources
from app.settings import Settings
from tests.app.calls import files_below, new_collection, new_image, upload
from tests.app.maintenance.conftest import DeleteTheLast, Kept, flip, keys, ready
from tests.fixtures.pictures import distinct
from tests.fixtures.services import Service


def quietly(done: int, total: int) -> None:
    pass


def whole(kept: Kept, folder: Path) -> BackedUp:
    return backup(kept.res, folder, quietly, quietly)


def restored(folder: Path, data: Path) -> Resources:
    restore(folder, data, quietly, quietly)
    return Resources.open(Settings(data=data))


def test_there_and_back(kept: Kept, tmp_path: Path) -> None:
    """Every byte comes back; what no row names stays behind; links where the disk allows them."""
    orphan = kept.blob("collections/elsewhere/z")
    orphan.parent.mkdir()
    orphan.write_bytes(b"x")
    made = whole(kept, tmp_path / "copy")
    blob = tmp_path / "copy" / "blobs" / keys(kept)["map"]
    assert made.lost == [] and made.seal.database and blob.stat().st_nlink == 2
    with closing(restored(tmp_path / "copy", tmp_path / "again")) as again:
        assert verify(again, 0, quietly) == []
    orphan.unlink()
    blobs = {path.relative_to(kept.data / "blobs"): path for path in files_below(kept.data / "blobs")}
    back = {path.relative_to(tmp_path / "again/blobs"): path for path in files_below(tmp_path / "again" / "blobs")}
    assert set(back) == set(blobs)
    assert all(
        path.read_bytes() == blobs[name].read_bytes() and path.stat().st_nlink == 1 for name, path in back.items()
    )


def test_on_another_disk_it_copies(kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", refuse)
    assert whole(kept, tmp_path / "copy").lost == []
    assert (tmp_path / "copy" / "blobs" / keys(kept)["map"]).stat().st_nlink == 1
    manifest.check(tmp_path / "copy", quietly)


@pytest.mark.parametrize("name", ["blob", "roost.db", "SHA256SUMS", "backup.json"])
def test_a_damaged_backup_is_named(kept: Kept, tmp_path: Path, name: str) -> None:
    whole(kept, tmp_path / "copy")
    name = f"blobs/{keys(kept)['map']}" if name == "blob" else name
    flip(tmp_path / "copy" / name)
    with pytest.raises(manifest.BackupDamaged, match=Path(name).name):
        restore(tmp_path / "copy", tmp_path / "again", quietly, quietly)
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("name", ["roost.db", "SHA256SUMS", "backup.json"])
def test_a_backup_that_is_not_whole(kept: Kept, tmp_path: Path, name: str) -> None:
    whole(kept, tmp_path / "copy")
    (tmp_path / "copy" / name).unlink()
    with pytest.raises(manifest.BackupDamaged, match=f"{name} is missing"):
        restore(tmp_path / "copy", tmp_path / "again", quietly, quietly)
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("name", ["../outside", "blobs/../../outside", "/etc/passwd", "lock"])
def test_a_list_that_leads_elsewhere(tmp_path: Path, name: str) -> None:
    (tmp_path / manifest.SUMS).write_text(f"{'0' * 64}  {name}\n")
    with pytest.raises(manifest.BackupDamaged):
        list(manifest.lines(tmp_path))


def test_nothing_is_overwritten(kept: Kept, tmp_path: Path) -> None:
    whole(kept, tmp_path / "copy")
    with pytest.raises(Invalid, match="not empty"):
        whole(kept, tmp_path / "copy")
    before = {path: path.stat().st_mtime_ns for path in files_below(kept.data)}
    with pytest.raises(Invalid, match="not empty"):
        restore(tmp_path / "copy", kept.data, quietly, quietly)
    assert {path: path.stat().st_mtime_ns for path in files_below(kept.data)} == before


def test_a_loss_of_the_live_data_is_told(kept: Kept, tmp_path: Path) -> None:
    image = ready(kept)
    key = original_key(image.collection_id, image.id, image.sha256)
    report = str(kept.one(Job).report_key)
    for one in (key, report):
        kept.blob(one).unlink()
    shutil.rmtree(kept.blob(keys(kept)["tree"]))
    assert set(whole(kept, tmp_path / "copy").lost) == {key, report, keys(kept)["tree"]}
    manifest.check(tmp_path / "copy", quietly)


@pytest.mark.parametrize("what", ["original", "shard", "map", "centres", "index"])
def test_damage_of_the_live_data_is_told(kept: Kept, tmp_path: Path, what: str) -> None:
    """It is kept as it is: for an original there may be nothing better."""
    image = ready(kept)
    key = original_key(image.collection_id, image.id, image.sha256) if what == "original" else keys(kept)[what]
    flip(kept.blob(key) / "ids.bin" if what == "index" else kept.blob(key))
    if what in ("map", "centres"):
        kept.blob(key).write_bytes(kept.blob(key).read_bytes()[:-64])
    assert whole(kept, tmp_path / "copy").lost == [key]
    manifest.check(tmp_path / "copy", quietly)
    assert (tmp_path / "copy" / "blobs" / key).exists()
    run = CliRunner().invoke(app, ["backup", str(tmp_path / "again"), "--data", str(kept.data)])
    assert run.exit_code == 1 and key in run.output


def test_what_is_deleted_meanwhile(kept: Kept, tmp_path: Path) -> None:
    """A blob that goes after the database was copied is no loss: its row is gone in the next copy."""
    last = DeleteTheLast(kept)
    made = backup(kept.res, tmp_path / "copy", last, quietly)
    assert made.lost == [] and last.gone and not (tmp_path / "copy" / "blobs" / last.gone[0]).exists()
    with closing(restored(tmp_path / "copy", tmp_path / "again")) as again:
        assert verify(again, 0, quietly) == []


def test_on_postgresql_the_files_alone(new_postgres_url: Callable[[], str], tmp_path: Path) -> None:
    """The database is pg_dump's; the command says so, and so does the backup's seal."""
    settings = Settings(data=tmp_path / "data", database_url=new_postgres_url())
    with TestClient(create_app(settings)) as client:
        new_image(client, new_collection(client))
        made = backup(client.app.state.resources, tmp_path / "copy", quietly, quietly)  # type: ignore[attr-defined]
        assert (made.lost, made.seal.database, made.seal.files) == ([], False, 1)
    again = restore(tmp_path / "copy", tmp_path / "again", quietly, quietly)
    assert not again.database and len(files_below(tmp_path / "again" / "blobs")) == 1


@pytest.mark.slow
def test_while_people_upload_and_delete(make_service: Callable[[str], Service], tmp_path: Path) -> None:
    """Two backups under a stream of uploads and deletions; each restores to data that verify calls clean."""
    service = make_service("embedded")
    collection_id = new_collection(service.client)
    stop, added = threading.Event(), threading.Semaphore(0)

    def change(first: int) -> None:
        with service.client as client:
            for number in itertools.count(first, 2):
                if stop.is_set():
                    return
                (data,) = distinct(1, size=(64, 48)).values()
                item = upload(client, collection_id, [("a.jpg", data + number.to_bytes(8))]).json()["items"][0]
                if number % 3 == 0:
                    assert client.delete(f"/v1/images/{item['image_id']}").status_code == httpx.codes.NO_CONTENT
                added.release()

    threads = [threading.Thread(target=change, args=(n,)) for n in (0, 1)]
    for thread in threads:
        thread.start()
    res = Resources.open(Settings(data=service.data))
    counts = []
    for turn in ("one", "two"):
        for _ in range(12):
            assert added.acquire(timeout=60), service.log()
        assert backup(res, tmp_path / turn, quietly, quietly).lost == []
        with closing(restored(tmp_path / turn, tmp_path / f"{turn}-again")) as again:
            assert verify(again, 0, quietly) == []
            with again.database.reading() as session:
                counts.append(session.execute(select(func.count()).select_from(Image)).scalar_one())
    stop.set()
    for thread in threads:
        thread.join()
    assert 0 < counts[0] < counts[1]
    res.close()
