"""The process of a job, forked from one that stands ready, and what becomes of it when that one dies."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import forkserver
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from app.db.migrate import migrate
from app.resources import Resources
from app.settings import Settings
from tests.fixtures.services import Service
from tests.fixtures.watching import JOB, children, wait_for
from tests.workers.test_runner import upload
from workers.child import EXIT_LEASE_LOST
from workers.process import IMPORTED, IMPORTED_FOR_S3, JobProcess

# Their threads would be missing after a fork, or they are large and no small job needs them.
NEEDLESS = {"torch", "faiss", "openvino", "sklearn", "fastapi", "starlette", "celery", "kombu"}
FORKS = "multiprocessing.forkserver"
# Threads of OpenBLAS multiply matrices of this size together.
MULTIPLIES = """
import os, numpy, {modules}
matrix = numpy.ones((600, 600), numpy.float32)
matrix @ matrix
pid = os.fork()
if not pid:
    os._exit(int((matrix @ matrix)[0, 0] != 600))
print(os.waitpid(pid, 0)[1])
"""


EVERYTHING = ", ".join(IMPORTED + IMPORTED_FOR_S3)
OPENS_A_BUCKET = """
import botocore.loaders
load, read = botocore.loaders.JSONFileLoader.load_file, []
def noted(self, path):
    if found := load(self, path):
        read.append(path)
    return found
botocore.loaders.JSONFileLoader.load_file = noted
from app.storage.bucket import Bucket
Bucket("pictures")
print(read)
"""


def run(code: str, **environment: str) -> str:
    told = {**os.environ, **environment}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=told, timeout=60
    ).stdout.strip()


def test_who_forks_has_nothing_that_a_small_job_never_needs() -> None:
    assert run(f"import sys, {EVERYTHING}; print(sorted({NEEDLESS!r} & set(sys.modules)))") == "[]"


def test_who_forks_has_no_thread_but_those_that_come_back() -> None:
    counted = f"import os, {EVERYTHING}; print(len(os.listdir('/proc/self/task')))"
    assert run(counted, OPENBLAS_NUM_THREADS="1") == "1"
    assert run(MULTIPLIES.format(modules=EVERYTHING), OPENBLAS_NUM_THREADS="2") == "0"


def test_a_fork_reads_nothing_before_it_speaks_to_s3() -> None:
    """Importing boto3 and reading what describes S3 took .2 s of processor time, most of what a small job took."""
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    assert run(f"import {EVERYTHING}\n{OPENS_A_BUCKET}", **keys) == "[]"


def test_it_is_forked_with_its_own_settings_and_ends_with_a_code(tmp_path: Path) -> None:
    for name in ("one", "other"):
        settings = Settings(data=tmp_path / name)
        resources = Resources.open(settings)
        migrate(resources.database)
        process = JobProcess(uuid4(), 1, settings.environment())
        assert process.wait(60) == EXIT_LEASE_LOST, "there is no such job, which only who finds the database can tell"
        process.end()
        resources.close()


def test_a_process_that_is_no_longer_watched_is_killed(tmp_path: Path) -> None:
    """As when the database gives its watcher an answer that nobody foresaw."""
    settings = Settings(data=tmp_path / "data")
    migrate((resources := Resources.open(settings)).database)
    process = JobProcess(uuid4(), 1, settings.environment())
    pid = process._pid
    process.end()
    assert not psutil.pid_exists(pid)
    resources.close()


def test_the_death_of_who_forks_costs_an_attempt(make_service: Callable[[str], Service]) -> None:
    service = make_service("embedded")
    job_id = upload(service, 60)
    orphans = wait_for(lambda: children(service, JOB))
    for process in children(service, FORKS):
        process.kill()
    job = service.job(job_id)
    assert (job["state"], job["attempt"]) == ("succeeded", 2)
    assert job["result"] == {"created": 60, "duplicates": 0, "rejected": 0}
    _, alive = psutil.wait_procs(orphans, timeout=10)
    assert not alive, "what it had forked went on beside the next attempt"
    assert service.job(upload(service, 2))["state"] == "succeeded", "another one forks"


def test_each_hears_of_its_own_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting a process, multiprocessing looks after all others, and each says only once how it ended."""
    settings = Settings(data=tmp_path / "data")
    migrate((resources := Resources.open(settings)).database)
    read = forkserver.read_signed

    def read_slowly(descriptor: int) -> int:
        time.sleep(0.05)
        return int(read(descriptor))

    monkeypatch.setattr(forkserver, "read_signed", read_slowly)

    def code(_: int) -> int | None:
        process = JobProcess(uuid4(), 1, settings.environment())
        try:
            return process.wait(60)
        finally:
            process.end()

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(code, range(80))) == {EXIT_LEASE_LOST}
    resources.close()
