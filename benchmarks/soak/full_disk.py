"""A disk that is full at the k-th call that needs room, for every k: uploads, decoding, a clustering job, checkpoints.

    python -m benchmarks.soak.full_disk
    python -m benchmarks.soak.full_disk --works upload checkpoint

Each write, sync, link, rename and new file below the data folder is counted, SQLite's and those of the decoders too
(tests/fixtures/full_disk.c, preloaded); one of them fails with ENOSPC, or that one and all that follow, then there is
room again. The work must end well, with 507, with storage_full, or be queued again; nothing acknowledged may be lost,
every row must have its blob, and the same work must succeed afterwards. Exits with 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.results import table
from tests.fixtures.filling import WORKS
from tests.fixtures.full_disk import FullDisk, compiled

ROOT = Path(__file__).parents[2]


def fill(work: str, library: Path, folder: Path, *more: str) -> dict[str, Any]:
    """Every call of one work, in a process and a data folder of their own."""
    (folder / "data").mkdir(parents=True)
    disk = FullDisk(folder / "data", folder / "control")
    command = [sys.executable, "-m", "tests.fixtures.filling", str(folder), work, *more]
    run = subprocess.run(
        command, env=os.environ | disk.environment(library), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    if run.returncode:
        return {"calls": 0, "failed": {}, "ended": {}, "wrong": [f"exit code {run.returncode}: see above"]}
    told: dict[str, Any] = json.loads(run.stdout)
    return told


def main() -> int:
    options = argparse.ArgumentParser(description="A full disk at every call that needs room.")
    options.add_argument("--works", nargs="+", choices=sorted(WORKS), default=list(WORKS))
    asked = options.parse_args()
    rows, wrong = [], []
    with TemporaryDirectory() as folder:
        if (library := compiled(Path(folder))) is None:
            raise SystemExit("there is no C compiler here")
        for work in asked.works:
            for mode in ((), ("--from-then-on",)):
                told = fill(work, library, Path(folder, work + "".join(mode)), *mode)
                ended = ", ".join(f"{name} {number}" for name, number in sorted(told["ended"].items()))
                calls = ", ".join(f"{name} {number}" for name, number in sorted(told["failed"].items()))
                kind = "that and all that follow" if mode else "that one"
                rows.append((work, kind, str(told["calls"]), calls, ended, str(len(told["wrong"]))))
                wrong += [f"{work}, {kind}: {one}" for one in told["wrong"]]
    print(table(("work", "fails", "calls", "of them", "how it ended", "wrong"), rows))
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
