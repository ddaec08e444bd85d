"""A job that meets a full disk waits for room: who frees some need not know what was going on, nor start it again."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from itertools import count

import structlog
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from app.db.full import database_full
from app.errors import StorageFull
from models.disk import no_space
from workers.context import Context, Stopped

FIRST_S, LONGEST_S = 1.0, 60.0  # between two tries; each pause is twice the one before
log = structlog.get_logger("roost.job")


def when_there_is_room(context: Context, run: Callable[[Context], None]) -> None:
    """Run the job, which goes on from what it has published, until it meets no full disk.

    Raises what the last try raised when there is still no room after ROOST_FULL_DISK_WAIT_S of waiting. Raises Stopped.
    """
    left, pause = context.settings.full_disk_wait_s, FIRST_S
    for tries in count(1):
        try:
            context.folder.mkdir(parents=True, exist_ok=True)
            return run(context)
        except Exception as error:
            if not _full(error) or pause > left:
                raise
            log.warning("the disk is full; the job tries again", pause_s=pause, error=repr(error))
        _wait(context, pause, tries)
        left, pause = left - pause, min(2 * pause, LONGEST_S)


def _full(error: Exception) -> bool:
    if isinstance(error, OperationalError):
        return database_full(error)
    return no_space(error) or getattr(error, "code", None) == StorageFull.code


def _wait(context: Context, pause: float, tries: int) -> None:
    shutil.rmtree(context.folder, ignore_errors=True)  # also what takes the room
    with suppress(SQLAlchemyError):  # a database on the same disk can't note it
        context.progress("full_disk", tries, None, "tries")
    if context.stop.wait(pause):
        raise Stopped
