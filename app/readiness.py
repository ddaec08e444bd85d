"""Whether work can make progress. Every check ends within a limit: what hangs is as bad as what fails."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future

import structlog
from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError

from app.db.tables import Worker
from app.errors import StorageFull, Unavailable
from app.ids import new_id
from app.metrics import workers
from app.resources import Resources

LIMIT_S = 8.0  # with the 12 s of a silent worker, /readyz is red within 15 s of whatever happened
PROBE = b"\0" * 4096  # an empty file still fits on a full disk
log = structlog.get_logger("roost.health")


class Readiness:
    """The checks of one application, run side by side."""

    def __init__(self, resources: Resources, limit_s: float = LIMIT_S) -> None:
        self.limit_s = limit_s
        self._checks: dict[str, Callable[[], bool]] = {
            "database": lambda: _database(resources),
            "storage": lambda: _storage(resources),
            "broker": resources.queue.reachable,
            "worker": lambda: _worker(resources),
        }
        self._under_way: dict[str, Future[bool]] = {}

    async def look(self) -> dict[str, bool]:
        """Each part by name; False where it fails or does not answer in time."""
        answers = await asyncio.gather(*(self._look(name) for name in self._checks))
        return dict(zip(self._checks, answers, strict=True))

    async def _look(self, name: str) -> bool:
        """A check that still hangs since the last time is waited for again; each more would cost another thread."""
        check = self._under_way.get(name)
        if check is None or check.done():
            check = self._under_way[name] = _begin(self._checks[name])
        try:
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(check)), self.limit_s)
        except TimeoutError:
            log.warning("no answer in time", part=name, seconds=self.limit_s)
            return False


def _begin(check: Callable[[], bool]) -> Future[bool]:
    """Not in a pool, whose threads an exiting process waits for, even when they hang."""
    found: Future[bool] = Future()

    def run() -> None:
        try:
            found.set_result(check())
        except BaseException as error:
            found.set_exception(error)

    threading.Thread(target=run, name="readiness", daemon=True).start()
    return found


def _database(res: Resources) -> bool:
    """A write that changes nothing: a database that can only be read is refused, and so is one that stays locked."""
    try:
        with res.database.transaction() as session:
            session.execute(delete(Worker).where(Worker.name == ""))
    except SQLAlchemyError as error:
        log.warning("database not writable", error=repr(error))
        return False
    return True


def _storage(res: Resources) -> bool:
    probe = res.settings.scratch / f"probe-{new_id()}"
    try:
        probe.write_bytes(PROBE)
        key = f"probes/{probe.name}"
        res.storage.put([(probe, key)])
        res.storage.delete(key)
    except (OSError, StorageFull, Unavailable) as error:
        log.warning("storage not writable", error=repr(error))
        probe.unlink(missing_ok=True)
        return False
    return True


def _worker(res: Resources) -> bool:
    try:
        with res.database.reading() as session:
            found = workers.alive(session, res.settings)
    except SQLAlchemyError as error:
        log.warning("workers can't be looked up", error=repr(error))
        return False
    without = sorted(queue for queue in workers.needed(res.settings) if not found[queue])
    if without:
        log.warning("no live worker", queues=without)
    return not without
