"""What nobody needs goes once it is old enough; what a job at work needs stays."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.jobs import ledger
from app.maintenance.collect import collect
from app.maintenance.orphans import GRACE_S
from tests.app.calls import files_below
from tests.app.maintenance.conftest import Kept, ready


def littered(kept: Kept) -> set[Path]:
    """Files that a killed upload and a killed job left."""
    orphan = kept.blob(f"collections/{ready(kept).collection_id}/originals/00/x")
    orphan.parent.mkdir(parents=True, exist_ok=True)
    left = {orphan, kept.res.settings.scratch / "upload-1", kept.res.settings.scratch / "gone-1" / "part"}
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"12345")
    return left


def test_only_what_is_old_goes(kept: Kept) -> None:
    left, before = littered(kept), set(files_below(kept.data))
    assert collect(kept.res, GRACE_S, dry_run=False).bytes == 0
    assert set(files_below(kept.data)) == before
    found = collect(kept.res, 0, dry_run=True)
    assert (len(found.blobs), sorted(found.scratch), found.bytes) == (1, ["gone-1", "upload-1"], 15)
    assert set(files_below(kept.data)) == before
    assert collect(kept.res, 0, dry_run=False) == found
    assert set(files_below(kept.data)) == before - left
    assert kept.findings() == [] and collect(kept.res, 0, dry_run=False).blobs == []


def test_what_an_unfinished_job_needs_stays(kept: Kept) -> None:
    collection_id = ready(kept).collection_id
    home = f"collections/{collection_id}"
    with kept.res.database.transaction() as session:
        job = ledger.submit(session, "finetune", collection_id=collection_id, params={})
        job.input_key = f"{home}/inputs/labels.json"
        sweep = ledger.submit(session, "sweep", collection_id=None, params={"prefixes": ["collections/deleted"]})
    needed = [
        kept.blob(f"{home}/inputs/labels.json"),
        kept.blob(f"{home}/checkpoints/{job.id}/states/1.pt"),
        kept.blob(f"{home}/reports/{job.id}.unpacked"),
        kept.blob("collections/deleted/x"),
        kept.res.settings.scratch / f"{job.id}-1" / "pictures",
    ]
    for path in needed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    found = collect(kept.res, 0, dry_run=False)
    assert (found.blobs, found.scratch) == ([], []) and all(path.exists() for path in needed)
    with kept.res.database.transaction() as session:
        for one in (job.id, sweep.id):
            ledger.request_cancel(session, one)
    assert len(collect(kept.res, 0, dry_run=False).blobs) == 3, "the reconciler takes the input"
    assert not needed[-1].exists()


def test_the_command(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOST_DATA", "elsewhere")
    littered(kept)
    run = CliRunner().invoke(app, ["gc", "--dry-run", "--data", str(kept.data)])
    assert run.exit_code == 0 and "0 stored and 0 scratch files, 0 bytes, would be removed" in run.output
