"""Small jobs while workers are killed: python -m benchmarks.soak.small_jobs --jobs 10000 --kills 200

Every job must end, and end once; what a killed worker held must be queued again within 70 s, with the default lease.
PostgreSQL itself keeps the account: a trigger notes each change of a job's state.
"""

import argparse
import json
import random
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text

from app.db.migrate import migrate
from app.db.session import now
from app.db.tables import Job
from app.jobs import ledger
from app.jobs.ledger import FINAL
from app.resources import Resources
from app.settings import Settings
from benchmarks.soak.running import servers
from tests.fixtures.services import ROOST, environment

WORKERS = 3
REQUEUED_WITHIN_S = 70.0
TIMES = ("heartbeat_s", "lease_s", "reconcile_s")  # as a service has them, not as tests do
ACCOUNT = """
CREATE TABLE account (job_id uuid, attempt int, state text, worker text, at timestamptz DEFAULT clock_timestamp());
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO account (job_id, attempt, state, worker) VALUES (NEW.id, NEW.attempt, NEW.state, OLD.worker); RETURN NEW;
END $$;
CREATE TRIGGER kept AFTER UPDATE OF state ON jobs FOR EACH ROW EXECUTE FUNCTION note();
"""


@dataclass
class Fleet:
    """Workers that are killed and replaced."""

    environment: dict[str, str]
    log: Path
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self) -> None:
        with self.log.open("ab") as log:
            command = [ROOST, "worker", "--queues", "cpu"]
            self.processes.append(subprocess.Popen(command, env=self.environment, stdout=log, stderr=log))

    def kill(self, process: "subprocess.Popen[bytes]") -> None:
        self.processes.remove(process)
        process.kill()
        process.wait()
        self.start()

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@dataclass
class Kill:
    """When, by the database's clock, and the attempts that went with the worker."""

    at: datetime
    held: list[tuple[Any, int]]


def submit(res: Resources, count: int) -> None:
    """Sweeps of nothing, the smallest kind there is, each with a lock of its own."""
    for start in range(0, count, 100):
        with res.database.transaction() as session:
            for _ in range(min(100, count - start)):
                ledger.submit(session, "sweep", collection_id=None, params={"prefixes": ["nothing"]})


def over(res: Resources) -> int:
    with res.database.reading() as session:
        return int(session.scalar(select(func.count()).where(Job.state.in_(FINAL))) or 0)


def kill_one(res: Resources, fleet: Fleet, rng: random.Random) -> Kill:
    """A worker that holds a job, so that the kill costs something."""
    while True:
        process = rng.choice(fleet.processes)
        if held := _held(res, process.pid):
            with res.database.reading() as session:
                moment = now(session)
            fleet.kill(process)
            return Kill(moment, held)
        time.sleep(0.02)


def _held(res: Resources, pid: int) -> list[tuple[Any, int]]:
    with res.database.reading() as session:
        mine = select(Job.id, Job.attempt).where(Job.state == "running", Job.worker.like(f"%:{pid}"))
        return [(row.id, row.attempt) for row in session.execute(mine)]


def run(res: Resources, fleet: Fleet, jobs: int, kills: int, rng: random.Random) -> list[Kill]:
    """Kills spread evenly over the jobs; returns when all jobs are over."""
    done: list[Kill] = []
    while (ended := over(res)) < jobs:
        if len(done) < kills and ended * kills >= len(done) * jobs:
            done.append(kill_one(res, fleet, rng))
        time.sleep(0.05)
    return done


def requeued(res: Resources, kills: list[Kill]) -> list[float]:
    """Seconds from each kill until each attempt that it took was written off; none for one that had just ended."""
    found = []
    with res.database.reading() as session:
        query = text(
            "SELECT min(at) FROM account WHERE job_id = :id AND attempt = :attempt AND at > :since AND state = 'queued'"
        )
        for kill in kills:
            for job_id, attempt in kill.held:
                when = session.scalar(query, {"id": job_id, "attempt": attempt, "since": kill.at})
                if when:
                    found.append((when - kill.at).total_seconds())
    return sorted(found)


def account(res: Resources, kills: list[Kill], seconds: float) -> dict[str, Any]:
    with res.database.reading() as session:
        states = dict(session.execute(select(Job.state, func.count()).group_by(Job.state)).all())
        twice = session.scalar(
            text(
                "SELECT count(*) FROM (SELECT job_id FROM account WHERE state NOT IN ('queued', 'running') "
                "GROUP BY job_id HAVING count(*) > 1) AS twice"
            )
        )
        attempts = session.scalar(select(func.max(Job.attempt)))
    waits = requeued(res, kills)
    return {
        "jobs": sum(states.values()), "states": states, "published_twice": twice, "kills": len(kills),
        "taken_over": len(waits), "longest_wait_s": round(max(waits, default=0.0), 1), "most_attempts": attempts,
        "seconds": round(seconds, 1),
    }  # fmt: skip


def measured(folder: Path, urls: dict[str, str], jobs: int, kills: int, seed: int) -> dict[str, Any]:
    """All of it against these servers."""
    default = {f"ROOST_{name.upper()}": str(getattr(Settings(), name)) for name in TIMES}
    data, database, broker = folder / "data", urls["ROOST_DATABASE_URL"], urls["ROOST_BROKER_URL"]
    fleet = Fleet(environment(data, **urls, **default), folder / "workers.log")
    res = Resources.open(Settings(data=data, database_url=database, broker_url=broker))
    try:
        migrate(res.database)
        with res.database.transaction() as session:
            session.execute(text(ACCOUNT))
        for _ in range(WORKERS):
            fleet.start()
        submit(res, jobs)
        began = time.monotonic()
        done = run(res, fleet, jobs, kills, random.Random(seed))
        return account(res, done, time.monotonic() - began) | {"seed": seed}
    finally:
        fleet.stop()
        res.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", type=Path, default=Path("soak-small-jobs.jsonl"), help="each run adds a line")
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="roost-soak-"))
    with servers(folder) as (urls, _):
        found = measured(folder, urls, chosen.jobs, chosen.kills, chosen.seed)
    with chosen.log.open("a") as file:
        file.write(json.dumps(found) + "\n")
    print(
        "\n".join(["| figure | value |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in found.items())])
    )
    late = found["longest_wait_s"] > REQUEUED_WITHIN_S
    if found["states"] != {"succeeded": chosen.jobs} or found["published_twice"] or late:
        raise SystemExit("missed: a job that did not succeed once, or was queued again too late")


if __name__ == "__main__":
    main()
