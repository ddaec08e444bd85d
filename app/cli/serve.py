"""roost serve and roost worker."""

import fcntl
import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import failing_clearly
from app.settings import Settings

if TYPE_CHECKING:  # the other commands of roost must not wait for what only these need
    from app.resources import Resources


def serve(
    data: Annotated[Path | None, typer.Option(help="The data folder; made if missing. Default: ./data")] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one and prints it.")] = 8080,
) -> None:
    """Run the service: API, and with the embedded default its worker too.

    On an address that others can reach it wants a key first: roost key create NAME --scope admin.

    Example: roost serve --data ~/roost --port 8080
    """
    import structlog
    import uvicorn

    from app.access.origin import LOOPBACK
    from app.main import create_app
    from app.slow_headers import LimitedHeaders

    log = structlog.get_logger("roost.serve")

    settings = _settings(data)
    _raise_file_limit()
    with _sole_owner(settings):
        keyed = _check_keys(settings, host)
        with failing_clearly("serve"):
            app = create_app(settings, _companion, LOOPBACK | {host.lower()})
        if not keyed:
            log.warning("open without a key to whoever uses this machine; see roost key --help", host=host)
        # uvicorn stops cleanly and then raises the signal again for whoever had it before: nobody, so we exit with 0
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        uvicorn.run(
            app,
            host=host,
            port=port,
            http=LimitedHeaders,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=10,
            timeout_keep_alive=75,  # longer than clients and proxies do, or they reuse a connection as it closes
        )


def worker(
    queues: Annotated[str, typer.Option(help="Which queues to work on: cpu, gpu or both.")] = "cpu,gpu",
) -> None:
    """Run a worker of the server setting; needs ROOST_DATABASE_URL and ROOST_BROKER_URL.

    Example: ROOST_BROKER_URL=redis://localhost:6379/0 roost worker --queues cpu
    """
    from app import logs, tracing
    from app.db.migrate import migrate
    from app.resources import Resources
    from workers.celery_app import serve_queues

    wanted = [name.strip() for name in queues.split(",") if name.strip()]
    if not wanted or set(wanted) - {"cpu", "gpu"}:
        raise typer.BadParameter("give cpu, gpu or cpu,gpu", param_hint="--queues")
    settings = Settings()
    if settings.embedded:
        print("roost worker: set ROOST_BROKER_URL to a Redis server; memory:// reaches nobody.", file=sys.stderr)
        raise typer.Exit(1)
    logs.configure(settings)
    with failing_clearly("worker"):
        tracing.check()
    res = Resources.open(settings)
    migrate(res.database)
    serve_queues(res, wanted)


def _settings(data: Path | None) -> Settings:
    if data is not None:
        os.environ["ROOST_DATA"] = str(data)  # children read it too
    return Settings()


def _companion(res: "Resources") -> AbstractContextManager[None]:
    """memory:// reaches only this process, so the worker must live in it."""
    if not res.settings.embedded:
        return nullcontext()
    from workers.celery_app import embedded

    return embedded(res)


def _check_keys(settings: Settings, host: str) -> bool:
    """Whether there are keys. Without any, only this machine may be let in."""
    from app.access import keys
    from app.access.origin import is_loopback
    from app.db.migrate import migrate
    from app.db.session import Database

    database = Database(settings.resolved_database_url)
    migrate(database)
    with database.reading() as session:
        found = keys.exist(session)
    database.close()
    if not found and not is_loopback(host):
        print(
            f"roost serve: others can reach {host}, and there are no keys; make one first with "
            "roost key create NAME --scope admin, on the same data.",
            file=sys.stderr,
        )
        raise typer.Exit(1)
    return found


@contextmanager
def _sole_owner(settings: Settings) -> Iterator[None]:
    """Two services on one SQLite folder would each think the other's jobs lost."""
    settings.data.mkdir(parents=True, exist_ok=True)
    with (settings.data / "lock").open("w") as lock:
        try:
            if settings.embedded:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"roost serve: another one uses {settings.data}; stop it, or choose --data.", file=sys.stderr)
            raise typer.Exit(1) from None
        yield


def _raise_file_limit() -> None:
    """A socket or an upload each takes a file descriptor; the usual soft limit of 1024 is soon reached."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
