"""Coverage-guided fuzzing of what reads hostile bytes in the serving and the job process.

    pip install atheris
    python -m benchmarks.soak.fuzz header --minutes 20
    python -m benchmarks.soak.fuzz archive --minutes 20
    python -m benchmarks.soak.fuzz exif --minutes 20

The header check (models/images/header.py), the archive reader (workers/archives.py) and the EXIF reader
(models/images/exif.py) get inputs bred from generated pictures and archives; only the exceptions that they document
may come out, within five seconds and a gigabyte an input. It ends at the first finding, keeps that input in the working
folder and exits with 1. `--corpus` keeps what was bred, for the next run to go on from.

atheris (Apache-2.0, libFuzzer for Python) has wheels for Python 3.11 to 3.13 on Linux only; elsewhere it wants a clang
with libFuzzer, so it is no dependency of the tests.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.results import table
from benchmarks.soak.hostile.archives import hostile_archives
from benchmarks.soak.hostile.pictures import foreign
from benchmarks.soak.hostile.structures import boxes, chunks, claims, directories, frames, plain
from models.images import FORMATS
from tests.models.images.scene import encoded, scene
from tests.models.images.test_exif import taken

SECONDS_AN_INPUT = 5
MEMORY_MB = 1024
LONGEST = 65_536  # bytes of an input: readers look hardly further, and short ones breed faster
SHORT = 8_192
FINDINGS = ("crash-*", "timeout-*", "oom-*", "leak-*")


def pictures() -> Iterator[bytes]:
    """No bombs: what this process needs at most counts as the memory of the processes that it starts."""
    yield from map(plain, FORMATS)
    yield from (one.data for one in foreign())
    for make in (claims, frames, chunks, boxes, directories):
        yield from (data for _, data in make() if len(data) <= SHORT)


def archives() -> Iterator[bytes]:
    return (one.data for one in hostile_archives(0) if len(one.data) <= SHORT)


def blocks() -> Iterator[bytes]:
    """EXIF blocks, little and big endian, and whole TIFF files."""
    for exif in (taken("2026:05:17 06:30:00", "+02:00", "Canon", "EOS 5D"), taken()):
        for endian in ("<", ">"):
            exif.endian = endian
            yield exif.tobytes()[6:]
    for compression in (None, "tiff_lzw", "jpeg"):
        yield encoded(scene(20, 10), "tiff", compression=compression)


SEEDS: dict[str, Callable[[], Iterator[bytes]]] = {"header": pictures, "archive": archives, "exif": blocks}


@dataclass(frozen=True)
class Fuzzed:
    executions: int
    a_second: int
    edges: int
    memory_mb: int
    findings: list[Path]


def fuzz(target: str, seconds: int, corpus: Path) -> Fuzzed:
    """Breed inputs in `corpus`, from the seeds and what is there, and count."""
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[target]()):
        (corpus / f"seed-{number:04}").write_bytes(seed)
    options = [
        f"-max_total_time={seconds}", f"-timeout={SECONDS_AN_INPUT}", f"-rss_limit_mb={MEMORY_MB}",
        f"-max_len={LONGEST}", f"-artifact_prefix={corpus.parent}/", "-print_final_stats=1", "-seed=1",
    ]  # fmt: skip
    command = [sys.executable, "-m", "benchmarks.soak.fuzz_targets", target, *options, str(corpus)]
    run = subprocess.run(command, capture_output=True, text=True, errors="replace")
    found = [path for pattern in FINDINGS for path in sorted(corpus.parent.glob(pattern))]
    if run.returncode or found:
        print(run.stdout[-4000:] + run.stderr[-4000:], file=sys.stderr)
    if "stat::number_of_executed_units" not in run.stderr and not found:
        raise SystemExit(f"the fuzzer did not run: exit code {run.returncode}")
    return _counted(run.stderr, found)


def _counted(log: str, findings: list[Path]) -> Fuzzed:
    def last(pattern: str) -> int:
        found = re.findall(pattern, log)
        return int(found[-1]) if found else 0

    stat = r"stat::{}:\s+(\d+)".format
    return Fuzzed(
        last(stat("number_of_executed_units")) or last(r"#(\d+)\t"),
        last(stat("average_exec_per_sec")),
        last(r"cov: (\d+)"),
        last(stat("peak_rss_mb")),
        findings,
    )


def main() -> int:
    arguments = argparse.ArgumentParser(description="Coverage-guided fuzzing of a reader of hostile bytes.")
    arguments.add_argument("target", choices=sorted(SEEDS))
    arguments.add_argument("--minutes", type=float, default=20)
    arguments.add_argument("--corpus", type=Path, help="A folder to go on from.")
    asked = arguments.parse_args()
    with TemporaryDirectory() as folder:
        done = fuzz(asked.target, round(asked.minutes * 60), asked.corpus or Path(folder, "corpus"))
        kept = Path(f"{asked.target}-finding")
        for one in done.findings[:1]:
            kept.write_bytes(one.read_bytes())
    head = ("target", "minutes", "executions", "a second", "edges", "memory, MB", "findings")
    values = (done.executions, done.a_second, done.edges, done.memory_mb, len(done.findings))
    print(table(head, [(asked.target, f"{asked.minutes:g}", *map(str, values))]))
    if done.findings:
        print(f"the input is in {kept}")
    return 1 if done.findings else 0


if __name__ == "__main__":
    sys.exit(main())
