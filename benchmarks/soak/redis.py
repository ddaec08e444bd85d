"""Redis stopped, restarted and emptied while uploads go on: python -m benchmarks.soak.redis --times 20

After each, whatever waits must be done within a minute, and no upload may have waited for Redis.
"""

import argparse
import json
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from redis import Redis as Client
from sqlalchemy import func, select

from app.db.tables import Job
from app.jobs.ledger import FINAL
from benchmarks.soak.running import Redis, running_server
from tests.fixtures.lives import Lives
from tests.fixtures.pictures import jpeg

STOPPED_S = 60.0
BACKLOG_WITHIN_S = 60.0
P99_WITHIN_S = 1.0
EVERY_S = 0.25  # from one upload to the next


class Uploads(threading.Thread):
    """One picture after the other, each timed, until it is told to end."""

    def __init__(self, lives: Lives) -> None:
        super().__init__(name="uploads", daemon=True)
        self.lives, self.seconds = lives, list[float]()
        self.collection_id = lives.collection()
        self.path = f"/v1/collections/{self.collection_id}/images"
        self.refused: list[str] = []
        self.ended = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.ended.wait(EVERY_S):
            number += 1
            picture = jpeg("red", number, (64, 48))
            began = time.monotonic()
            answer = self.lives.client.post(self.path, files=[("files", (f"{number}.jpg", picture))])
            self.seconds.append(time.monotonic() - began)
            if answer.status_code != 200:
                self.refused.append(answer.text)


def stop(redis: Redis) -> None:
    redis.process.send_signal(signal.SIGSTOP)
    time.sleep(STOPPED_S)
    redis.process.send_signal(signal.SIGCONT)


def flush(redis: Redis) -> None:
    Client(port=redis.port).flushall()


FAULTS: dict[str, Callable[[Redis], None]] = {"stop": stop, "restart": Redis.restart, "flush": flush}


def backlog_s(lives: Lives, patience_s: float = 300.0) -> float:
    """Seconds until every job is over that was there at the start of the wait."""
    began = time.monotonic()
    with lives.resources.database.reading() as session:
        last = session.scalar(select(func.max(Job.created_at)))
    while time.monotonic() - began < patience_s:
        with lives.resources.database.reading() as session:
            waiting = select(func.count()).where(Job.created_at <= last, Job.state.not_in(FINAL))
            if not session.scalar(waiting):
                break
        time.sleep(0.1)
    return time.monotonic() - began


def suffer(lives: Lives, redis: Redis, uploads: Uploads, fault: str) -> dict[str, Any]:
    """One fault: how long uploads took from its start until nothing waited any more."""
    first = len(uploads.seconds)
    FAULTS[fault](redis)
    waited = backlog_s(lives)
    seconds = sorted(uploads.seconds[first:])
    return {"fault": fault, "uploads": seconds, "backlog_s": round(waited, 2), "refused": len(uploads.refused)}


def table(notes: list[dict[str, Any]]) -> str:
    lines = ["| fault | times | uploads | refused | p50, s | p99, s | slowest, s | longest backlog, s |"]
    lines.append("| --- " * 8 + "|")
    for fault in (*FAULTS, "all"):
        own = [note for note in notes if fault in (note["fault"], "all")]
        seconds = sorted(one for note in own for one in note["uploads"])
        if seconds:
            shown = [len(own), len(seconds), sum(note["refused"] for note in own)]
            marks = [seconds[len(seconds) // 2], quantile(seconds, 0.99), seconds[-1]]
            longest = max(note["backlog_s"] for note in own)
            lines.append(
                f"| {fault} | {' | '.join(map(str, shown))} | {' | '.join(f'{m:.3f}' for m in marks)} | {longest} |"
            )
    return "\n".join(lines)


def quantile(ascending: list[float], share: float) -> float:
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))]


def noted(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20, help="how often each fault comes")
    parser.add_argument("--log", type=Path, default=Path("soak-redis.jsonl"), help="what was done, to go on from")
    chosen = parser.parse_args()
    wanted = [fault for _ in range(chosen.times) for fault in FAULTS]
    folder = Path(tempfile.mkdtemp(prefix="roost-soak-")) / "life"
    if rest := wanted[len(noted(chosen.log)) :]:
        with running_server(folder) as (lives, redis):
            uploads = Uploads(lives)
            uploads.start()
            for fault in rest:
                uploads.refused.clear()
                note = suffer(lives, redis, uploads, fault)
                with chosen.log.open("a") as file:
                    file.write(json.dumps(note) + "\n")
            uploads.ended.set()
            uploads.join()
    notes = noted(chosen.log)
    print(table(notes))
    everything = sorted(one for note in notes for one in note["uploads"])
    late = [note["fault"] for note in notes if note["backlog_s"] > BACKLOG_WITHIN_S]
    if late or quantile(everything, 0.99) > P99_WITHIN_S or any(note["refused"] for note in notes):
        raise SystemExit(f"missed: backlog after {late}, or an upload refused or too slow")


if __name__ == "__main__":
    main()
