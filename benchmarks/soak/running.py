"""A Roost in one of its settings, with real servers from wheels."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fixtures.lives import Lives
from tests.fixtures.servers import free_port, new_bucket, new_database, running_postgres, running_s3, start_redis
from tests.fixtures.services import Service, environment

SETTINGS = ("embedded", "server")


class Redis:
    """A Redis that can be stopped, restarted and emptied; its data outlive the process."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self.process: subprocess.Popen[bytes] = start_redis(folder, self.port)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def restart(self) -> None:
        self.end()
        self.process = start_redis(self.folder, self.port)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def servers(folder: Path) -> Iterator[tuple[dict[str, str], Redis]]:
    """An empty PostgreSQL database, a Redis and an S3: the environment that leads to them, and the second."""
    with running_postgres() as postgres, running_s3(folder) as access:
        redis = Redis(folder / "redis")
        os.environ.update(access)  # where a client of S3 in this process looks for it
        urls = {"ROOST_DATABASE_URL": new_database(postgres), "ROOST_BROKER_URL": redis.url}
        try:
            yield access | urls | {"ROOST_STORAGE_URL": f"s3://{new_bucket(access)}/roost"}, redis
        finally:
            redis.end()


@contextmanager
def running(setting: str, folder: Path, **more: str) -> Iterator[Lives]:
    """A fresh service in `folder`, which goes with it."""
    if setting == "embedded":
        with _emptied(folder), _lives(folder, more) as lives:
            yield lives
    else:
        with running_server(folder, **more) as (lives, _):
            yield lives


@contextmanager
def running_server(folder: Path, workers: int = 1, **more: str) -> Iterator[tuple[Lives, Redis]]:
    """The same in the server setting, with two APIs, and its Redis."""
    with _emptied(folder), servers(folder) as (urls, redis), _lives(folder, more | urls, workers, apis=2) as lives:
        yield lives, redis


@contextmanager
def _emptied(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _lives(folder: Path, more: dict[str, str], workers: int = 0, apis: int = 1) -> Iterator[Lives]:
    data = folder / "data"
    lives = Lives(Service(data, environment(data, **more), workers=workers), folder / "armed", apis)
    try:
        yield lives
    finally:
        lives.stop()
