"""Bad pictures and hostile archives, sent over HTTP to a real Roost: each gets a code, and nothing else happens.

    python -m benchmarks.soak.hostile --images 2000 --archives 150 --seed 0

The service and its processes must live through all of it, write nothing outside of their folders, keep their decoders
below their memory limit, make every good picture among the bad ones ready, and leave a data folder that `roost verify`
finds clean. Exits with 1 and says what was wrong otherwise. About a quarter of an hour on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.results import table
from benchmarks.soak.hostile.archive_bombs import archive_bombs
from benchmarks.soak.hostile.archives import ESCAPED, hostile_archives
from benchmarks.soak.hostile.pictures import collected, hostile_pictures
from benchmarks.soak.hostile.sample import Sample
from benchmarks.soak.hostile.sending import Answers, Sender
from benchmarks.soak.hostile.watch import DECODER, JOB, MB, SERVICE, Watch
from tests.fixtures.pictures import jpeg
from tests.fixtures.services import ROOST, Service, environment

BATCH, BATCH_BYTES = 48, 50 * MB
ALONE = ("named",)  # a name may spoil the whole body
OUTSIDE = (Path("/tmp") / ESCAPED, Path("/tmp/escaped.jpg"), Path("/", ESCAPED), Path.home() / ESCAPED)
KILLED = re.compile(r"Decoding (?:crashed \((\S+)\)|took longer than \S+ s)")


def main() -> int:
    options = argparse.ArgumentParser(description="Hostile pictures and archives against a running Roost.")
    options.add_argument("--images", type=int, default=2000)
    options.add_argument("--archives", type=int, default=150)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--collected", type=Path, default=_collected(), help="A folder of more bad pictures.")
    asked = options.parse_args()
    with TemporaryDirectory() as folder:
        return run(asked, Path(folder))


def run(asked: argparse.Namespace, folder: Path) -> int:
    service = _service(folder)
    answers, began = Answers(), time.monotonic()
    pid = service.processes[0].pid
    watch = Watch(pid, service.data / "tmp")
    watch.start()
    sender = Sender(service, answers)
    before = _outside(folder)
    send_pictures(sender, pictures(asked))
    send_archives(sender, chain(hostile_archives(asked.seed, asked.archives), archive_bombs()))
    watch.stop()
    wrong = answers.wrong + list(_wrong(service, answers, watch))
    if (after := _outside(folder)) != before or any(path.exists() for path in OUTSIDE):
        wrong.append(f"written outside: {sorted(after ^ before)}")
    if (codes := service.stop()) != [0]:
        wrong.append(f"the service ended with {codes}:\n{service.log()}")
    wrong += _found(service)
    _show(answers, watch, time.monotonic() - began, wrong)
    return 1 if wrong else 0


def pictures(asked: argparse.Namespace) -> Iterator[Sample]:
    yield from hostile_pictures(asked.images, asked.seed)
    if asked.collected:
        yield from collected(asked.collected)


def send_pictures(sender: Sender, samples: Iterator[Sample]) -> None:
    collection_id = sender.collection("bad pictures")
    jobs = [sender.pictures(collection_id, batch) for batch in _batches(samples, sender.answers)]
    sender.decoded(collection_id, filter(None, jobs))


def send_archives(sender: Sender, samples: Iterator[Sample]) -> None:
    """Into two collections, so that two jobs run at a time."""
    homes = [sender.collection("archives"), sender.collection("more archives")]
    jobs = [(sample.kind, sender.archive(homes[number % 2], sample)) for number, sample in enumerate(samples)]
    for kind, job_id in jobs:
        if job_id:
            sender.unpacked(kind, job_id)


def _batches(samples: Iterator[Sample], answers: Answers) -> Iterator[list[Sample]]:
    """Bad pictures with a good one at each end."""
    batch: list[Sample] = []
    for number, sample in enumerate(samples):
        if sample.kind in ALONE:
            yield [sample]
            continue
        batch.append(sample)
        if len(batch) == BATCH or sum(len(one.data) for one in batch) > BATCH_BYTES:
            yield [_good(number, answers), *batch, _good(number + 1_000_000, answers)]
            batch = []
    yield [*batch, _good(999_999, answers)]


def _good(number: int, answers: Answers) -> Sample:
    data = jpeg("red") + number.to_bytes(8)
    answers.good.add(sha256(data).hexdigest())
    return Sample("good", f"good-{number}.jpg", data)


def _service(folder: Path) -> Service:
    """A Roost whose home, cache and folder for temporary files are known."""
    homes = {name: str(folder / name.lower()) for name in ("HOME", "XDG_CACHE_HOME", "TMPDIR")}
    for home in homes.values():
        Path(home).mkdir()
    return Service(folder / "data", environment(folder / "data", ROOST_RATE_PER_MINUTE="0", **homes)).start()


def _wrong(service: Service, answers: Answers, watch: Watch) -> Iterator[str]:
    if service.processes[0].poll() is not None:
        yield f"the service ended:\n{service.log()}"
        return
    ready = set()
    for one in service.pages("/v1/collections"):
        ready |= {image["sha256"] for image in service.pages(f"/v1/collections/{one['id']}/images", status="ready")}
    if lost := answers.good - ready:
        yield f"{len(lost)} good pictures are not ready"
    if watch.most[DECODER] >= (limit := 1024 * MB):
        yield f"a decoder had {watch.most[DECODER] // MB} MB, its limit is {limit // MB}"


def _outside(folder: Path) -> set[str]:
    """Every file beside the data folder, its log, the caches, and the socket of the server that forks jobs."""
    ours = ("data", "data.log", "xdg_cache_home", "home")
    found = (path for path in folder.rglob("*") if path.relative_to(folder).parts[0] not in ours)
    return {str(path) for path in found if not any(part.startswith("pymp-") for part in path.parts)}


def _found(service: Service) -> list[str]:
    """What roost verify finds."""
    command = [ROOST, "verify", "--json", "--data", str(service.data)]
    verified = subprocess.run(command, env=service.environment, capture_output=True, text=True)
    return [f"roost verify: {one}" for one in json.loads(verified.stdout)["findings"]]


def _collected() -> Path | None:
    """Damaged pictures that somebody has gathered: in $ROOST_DATA, or in the shared data beside the project."""
    shared = Path(__file__).parents[4] / "shared" / "data"
    for place in (os.environ.get("ROOST_DATA", ""), shared / "nasty" / "pillow"):
        if place and Path(place).is_dir():
            return Path(place)
    return None


def _show(answers: Answers, watch: Watch, seconds: float, wrong: list[str]) -> None:
    rows = []
    for kind in sorted(answers.codes):
        codes = ", ".join(f"{code} {number}" for code, number in answers.codes[kind].most_common())
        rows.append((kind, str(answers.counts[kind] or ""), codes, f"{answers.slowest_s.get(kind, 0):.2f}"))
    print(table(("kind", "sent", "how they ended", "slowest answer, s"), rows))
    print(f"\n{sum(answers.counts.values())} sent in {seconds:.0f} s, slowest answer "
          f"{max(answers.slowest_s.values()):.2f} s, of them good pictures ready: {len(answers.good)}")  # fmt: skip
    memory = ", ".join(f"{role} {watch.most[role] // MB} MB" for role in (SERVICE, JOB, DECODER))
    print(f"highest memory: {memory}; scratch at most {watch.scratch // MB} MB; {watch.decoders} decoders")
    kills: Counter[str] = Counter()
    for detail, number in answers.details.items():
        if found := KILLED.match(detail):
            kills[found[1] or "too slow"] += number
    print(f"decoders ended by what they decoded: {dict(kills) or 'none'}")
    print("\n".join(f"WRONG: {line}" for line in wrong) or "nothing wrong")


if __name__ == "__main__":
    sys.exit(main())
