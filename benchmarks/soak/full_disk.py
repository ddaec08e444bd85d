"""A disk that is full at the k-th call that needs room, for every k: uploads, decoding, a clustering job, checkpoints.

    python -m benchmarks.soak.full_disk
    python -m benchmarks.soak.full_disk --works upload checkpoint

Each write, sync, link, rename and new file below the data folder is counted, SQLite's and those of the decoders too
(tests/fixtures/full_disk.c, preloaded); one of them fails with ENOSPC, or that one and all that follow, then there is
room again. The work must end well, with 507, with storage_full, or be queued again; nothing acknowledged may be lost,
every row must have its blob, and the same work must succeed afterwards. A clustering job embeds, clusters and builds
the index; that has hundreds of calls, more with each picture that a try adds. So eleven small galleries take turns: the
first meets call 1, 12, 23 and so on, the second 2, 13, 24. --turns runs the first of them only. Exits with 1 if
anything was wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.results import table
from tests.fixtures.filling import WORKS
from tests.fixtures.full_disk import FullDisk, compiled

ROOT = Path(__file__).parents[2]
TURNS = 11


def fill(work: str, library: Path, folder: Path, *more: str) -> dict[str, Any]:
    """Every call of one work, in a process and a data folder of their own."""
    (folder / "data").mkdir(parents=True)
    disk = FullDisk(folder / "data", folder / "control")
    command = [sys.executable, "-m", "tests.fixtures.filling", str(folder), work, *more]
    run = subprocess.run(command, env=os.environ | disk.environment(library), cwd=ROOT, capture_output=True, text=True)
    if run.returncode:
        return {"calls": 0, "failed": {}, "ended": {}, "wrong": [run.stderr[-2000:]]}
    told: dict[str, Any] = json.loads(run.stdout)
    return told


def every_call(work: str, library: Path, folder: Path, mode: tuple[str, ...], turns: int) -> dict[str, Any]:
    """What there is to tell of a work, of a clustering job by as many galleries as `turns` says."""
    if work != "cluster":
        return fill(work, library, folder, *mode)
    galleries = [
        fill(work, library, folder / str(first), *mode, "--stride", str(TURNS), "--first", str(first))
        for first in range(1, turns + 1)
    ]
    return {
        "calls": sum(told["calls"] for told in galleries),
        "failed": sum((Counter(told["failed"]) for told in galleries), Counter()),
        "ended": sum((Counter(told["ended"]) for told in galleries), Counter()),
        "wrong": [one for told in galleries for one in told["wrong"]],
    }


def main() -> int:
    options = argparse.ArgumentParser(description="A full disk at every call that needs room.")
    options.add_argument("--works", nargs="+", choices=sorted(WORKS), default=list(WORKS))
    options.add_argument("--turns", type=int, default=TURNS, help="Galleries that take turns with a clustering job.")
    asked = options.parse_args()
    rows, wrong = [], []
    with TemporaryDirectory() as folder:
        if (library := compiled(Path(folder))) is None:
            raise SystemExit("there is no C compiler here")
        for work in asked.works:
            for mode in ((), ("--from-then-on",)):
                told = every_call(work, library, Path(folder, work + "".join(mode)), mode, asked.turns)
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
