"""The unit of work: one transaction a request or job step, committed at the edge, messages sent after the commit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, create_engine, event, func, select
from sqlalchemy.orm import Session

from app.db.owned import EVERYBODY, OwnedSession
from app.failpoints import reached


class Database:
    """An engine with the pragmas Roost relies on, and the two kinds of transaction."""

    def __init__(self, url: str, publish: Callable[[UUID, str], None] | None = None) -> None:
        """`publish` is called with id and queue of each job that `announce` named, after the commit."""
        self.engine = _engine(url)
        # SQLite can't wait for a lock in a transaction that began by reading, so writers say so at BEGIN.
        self.writer = self.engine.execution_options(roost_begin="BEGIN IMMEDIATE")
        self._publish = publish

    @contextmanager
    def reading(self, *, everybody: bool = False) -> Iterator[Session]:
        """`everybody`: for sums over the whole installation, whoever asks for them."""
        with OwnedSession(self.engine, expire_on_commit=False, info={EVERYBODY: everybody}) as session:
            yield session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Commit when the block ends, roll back when it raises; then wake the workers."""
        with OwnedSession(self.writer, expire_on_commit=False) as session:
            with session.begin():
                yield session
            for job_id, queue in session.info.get("announced", ()):
                if self._publish:
                    reached("publish.committed")
                    self._publish(job_id, queue)

    def close(self) -> None:
        self.engine.dispose()


def announce(session: Session, job_id: UUID, queue: str) -> None:
    """Have the job's message sent once this transaction has committed, never before."""
    session.info.setdefault("announced", []).append((job_id, queue))


def withhold(session: Session, job_id: UUID) -> bool:
    """Take an announcement back: the job was not needed after all. Whether this transaction had made one."""
    announced = session.info.get("announced", [])
    session.info["announced"] = [(one, queue) for one, queue in announced if one != job_id]
    return len(session.info["announced"]) < len(announced)


def now(session: Session) -> datetime:
    """The database's clock: leases compare times of one clock only. SQLite lives on this machine and has ours."""
    if session.get_bind().dialect.name == "sqlite":
        return datetime.now(UTC)
    value: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return value.astimezone(UTC)


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=20, pool_timeout=10)
    engine = create_engine(url, pool_size=10, max_overflow=20, connect_args={"timeout": 15, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own; `begin` below does
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("roost_begin", "BEGIN"))

    return engine
