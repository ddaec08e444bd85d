"""A disk without room for the k-th write of an upload, for every k: 507, and the same upload succeeds with room again.

benchmarks/soak/full_disk.py does the same to jobs, and to a disk that stays full.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.fixtures.full_disk import FullDisk


def test_an_upload_meets_a_full_disk_at_every_call(full_disk_library: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    disk = FullDisk(tmp_path / "data", tmp_path / "control")
    run = subprocess.run(
        [sys.executable, "-m", "tests.fixtures.filling", str(tmp_path), "upload"],
        env=os.environ | disk.environment(full_disk_library),
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert told["wrong"] == []
    assert {"open", "write", "fsync", "link", "pwrite64", "fdatasync"} <= told["failed"].keys(), "files and SQLite"
    assert set(told["ended"]) == {"200", "507 storage_full"} and told["ended"]["507 storage_full"] > 20
