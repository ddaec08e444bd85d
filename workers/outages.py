"""What a job meets that only others can mend: a full disk, a store or a mount that does not answer. It waits.

A job that failed would lose what was acknowledged: the archive it had to unpack goes once it is over.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.db.full import database_full
from app.errors import OUTAGES, StorageFull
from app.jobs import ledger
from app.settings import Settings
from models.disk import disk_failed, no_space


@dataclass(frozen=True)
class Outage:
    code: str
    detail: str

    def postpone(self, session: Session, job_id: UUID, attempt: int, settings: Settings) -> None:
        """Hand the job back until later; after ROOST_OUTAGE_WAIT_S of waiting without progress it fails. LeaseLost."""
        ledger.postpone(session, job_id, attempt, self.code, self.detail, settings.outage_wait_s)


FULL_DISK = Outage(StorageFull.code, "The disk is full; free some space or add some.")


def outage(error: Exception) -> Outage | None:
    """What the error is a sign of; None for one that waiting does not mend."""
    if no_space(error) or (isinstance(error, OperationalError) and database_full(error)):
        return FULL_DISK
    if isinstance(error, OSError) and disk_failed(error):
        return Outage("storage_unavailable", f"A disk, or the network behind it, fails: {error.strerror}. See to it.")
    code = getattr(error, "code", None)
    return Outage(code, str(error)) if code in OUTAGES else None
