"""A Roost in one of its settings, with real servers from wheels."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fixtures.lives import Lives
from tests.fixtures.servers import free_port, new_database, running_postgres, start_redis
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
    """An empty PostgreSQL database and a Redis: the environment that leads to them, and the latter."""
    with running_postgres() as postgres:
        redis = Redis(folder / "redis")
        try:
            yield {"ROOST_DATABASE_URL": new_database(postgres), "ROOST_BROKER_URL": redis.url}, redis
        finally:
            redis.end()


@contextmanager
def running(setting: str, folder: Path, **more: str) -> Iterator[Lives]:
    """A fresh service in `folder`, which goes with it."""
    if setting == "embedded":
        with _emptied(folder), _lives(folder, 0, more) as lives:
            yield lives
    else:
        with running_server(folder, **more) as (lives, _):
            yield lives


@contextmanager
def running_server(folder: Path, workers: int = 1, **more: str) -> Iterator[tuple[Lives, Redis]]:
    """The same in the server setting, with its Redis."""
    with _emptied(folder), servers(folder) as (urls, redis), _lives(folder, workers, more | urls) as lives:
        yield lives, redis


@contextmanager
def _emptied(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _lives(folder: Path, workers: int, more: dict[str, str]) -> Iterator[Lives]:
    data = folder / "data"
    lives = Lives(Service(data, environment(data, **more), workers=workers), folder / "armed")
    try:
        yield lives
    finally:
        lives.stop()
