"""Migrations give exactly the tables; transactions wait for each other instead of failing."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import IntegrityError

from app.db.migrate import config, migrate
from app.db.session import Database, now
from app.db.tables import LOCAL, Collection, EmbeddingSet, Encoder, Image, Owner, Table


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'roost.db'}"
    return str(request.getfixturevalue("new_postgres_url")())


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    made = Database(url)
    migrate(made)
    yield made
    made.close()


def test_migrations_and_tables_agree(database: Database) -> None:
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Table.metadata) == []


NAMED = ("collection", "encoder", "set", "image")
A_COLLECTION = "INSERT INTO collections VALUES (:collection, 'c', NULL, 1, :now, :now)"


@contextmanager
def of_version(url: str, released: str, *statements: str) -> Iterator[Database]:
    """A database that an older Roost has made and filled, and this one has taken over."""
    made = Database(url)
    values = {name: uuid4().hex for name in NAMED} | {"now": datetime(2026, 5, 1, tzinfo=UTC)}
    with made.writer.begin() as connection:
        command.upgrade(_alembic(connection), released)
        for statement in statements:
            connection.execute(text(statement), values)
    migrate(made)
    yield made
    made.close()


def _alembic(connection: Connection) -> Config:
    alembic = config()
    alembic.attributes["connection"] = connection
    return alembic


def test_a_database_of_the_first_version_keeps_what_it_has(url: str) -> None:
    """An encoder's row is referred to by embeddings and clusterings: a change of its table must not cascade to them."""
    with of_version(
        url,
        "0001",
        A_COLLECTION,
        "INSERT INTO encoders VALUES (:encoder, 'lite', 'builtin', 'b', NULL, '{}', 8, NULL, :now)",
        "INSERT INTO embedding_sets VALUES (:set, :collection, :encoder, 'x', 8, :now)",
    ) as made:
        with made.reading() as session:
            row = session.get_one(Encoder, session.query(EmbeddingSet).one().encoder_id)
            unknown = (row.sha256, row.metrics, row.recommended, row.training)
            assert (row.name, *unknown) == ("lite", None, None, None, None)
        with made.writer.begin() as connection:
            command.downgrade(_alembic(connection), "0001")
            assert connection.execute(text("SELECT count(*) FROM embedding_sets")).scalar_one() == 1


def test_an_image_from_before_exif_was_kept_has_none(url: str) -> None:
    an_image = (
        "INSERT INTO images (id, collection_id, name, sha256, bytes, format, status, camera, created_at)"
        " VALUES (:image, :collection, 'a.jpg', 'x', 1, 'jpeg', 'ready', 'Z 8', :now)"
    )
    with of_version(url, "0003", A_COLLECTION, an_image) as made, made.reading() as session:
        image = session.query(Image).one()
        assert (image.camera, image.exif) == ("Z 8", None)


@pytest.mark.parametrize("released", ["0001", "0002", "0003", "0004", "0005"])
def test_what_is_older_than_owners_belongs_to_the_local_one_and_counts(url: str, released: str) -> None:
    an_image = (
        "INSERT INTO images (id, collection_id, name, sha256, bytes, format, status, created_at)"
        " VALUES (:image, :collection, 'a.jpg', 'x', 7, 'jpeg', 'ready', :now)"
    )
    with of_version(url, released, A_COLLECTION, an_image) as made, made.reading() as session:
        owner = session.query(Owner).one()
        assert (owner.id, owner.name, owner.used_bytes, owner.used_images) == (LOCAL, "local", 7, 1)
        assert session.query(Collection).one().owner_id == LOCAL


def test_names_of_encoders_are_unique_in_their_collection(database: Database) -> None:
    with database.transaction() as session:
        first, second = _collection("a"), _collection("b")
        session.add_all([first, second])
        session.flush()
        session.add_all([_encoder("x", first.id), _encoder("x", second.id), _encoder("x", None)])
    for collection_id in (first.id, None):
        with pytest.raises(IntegrityError), database.transaction() as session:
            session.add(_encoder("x", collection_id))


def _encoder(name: str, collection_id: UUID | None) -> Encoder:
    return Encoder(
        name=name, origin="finetuned", params={}, dim=8, collection_id=collection_id, created_at=datetime.now(UTC)
    )


def test_a_collection_has_each_content_once(database: Database) -> None:
    """Whatever finds a duplicate before: of two rows the database itself refuses the second."""
    with database.transaction() as session:
        here, elsewhere = _collection("here"), _collection("elsewhere")
        session.add_all([here, elsewhere])

    def add(collection: Collection) -> None:
        with database.transaction() as session:
            kept = {"name": "a.jpg", "sha256": "a" * 64, "bytes": 1, "format": "jpeg", "created_at": datetime.now(UTC)}
            session.add(Image(collection_id=collection.id, **kept))

    add(here)
    add(elsewhere)
    with pytest.raises(IntegrityError):
        add(here)


def test_migrating_again_changes_nothing_and_may_race(url: str) -> None:
    script = f"from app.db.migrate import migrate; from app.db.session import Database; migrate(Database({url!r}))"
    racing = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(3)]
    assert [process.wait(60) for process in racing] == [0, 0, 0]


def _collection(name: str) -> Collection:
    return Collection(name=name, created_at=datetime.now(UTC), updated_at=datetime.now(UTC))


def test_a_lock_that_is_held_is_waited_for(database: Database) -> None:
    """Longer than SQLite's driver would wait by itself, which is five seconds."""
    holding, held_s = threading.Event(), 5.5

    def hold() -> None:
        with database.transaction() as session:
            if session.get_bind().dialect.name == "postgresql":
                session.execute(text("LOCK TABLE collections"))
            session.add(_collection("first"))
            session.flush()
            holding.set()
            time.sleep(held_s)

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait()
    began = time.monotonic()
    with database.transaction() as session:
        session.add(_collection("second"))
    assert time.monotonic() - began > held_s - 0.5, "it was in the way"
    thread.join()
    with database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM collections")).scalar_one() == 2


def test_sqlite_has_every_commit_on_the_disk(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'roost.db'}")
    for engine in (database.engine, database.writer):
        with engine.connect() as connection:
            kept = [connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in ("journal_mode", "synchronous")]
        assert kept == ["wal", 2], "FULL"
    database.close()


def test_connections_that_the_server_closed_are_replaced(new_postgres_url: Callable[[], str]) -> None:
    """A PostgreSQL that restarts closes all of them."""
    database = Database(url := new_postgres_url())
    with database.reading() as session:
        closed = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with create_engine(url).connect() as other:
        assert other.execute(text(f"SELECT pg_terminate_backend({closed}, 10000)")).scalar_one()
    with database.transaction() as session:
        assert session.execute(text("SELECT pg_backend_pid()")).scalar_one() != closed
    database.close()


def test_reading_first_and_writing_later_never_fails(database: Database) -> None:
    """With a deferred BEGIN, SQLite refuses to turn a reader into a writer once somebody else has written."""

    def rename(number: int) -> None:
        for _ in range(20):
            with database.transaction() as session:
                row = session.query(Collection).first()
                assert row is not None
                row.name = f"{number}"
                row.version += 1

    with database.transaction() as session:
        session.add(_collection("contended"))
    # on PostgreSQL the row is read without a lock, so updates may be lost; what counts here is that none fails
    threads = [threading.Thread(target=rename, args=(n,)) for n in range(4)]
    failures: list[BaseException] = []
    threading.excepthook, old = (lambda args: failures.append(args.exc_value or RuntimeError())), threading.excepthook
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        threading.excepthook = old
    assert failures == []


def test_nothing_is_kept_of_a_transaction_that_raises(database: Database) -> None:
    with pytest.raises(RuntimeError), database.transaction() as session:
        session.add(_collection("never"))
        session.flush()
        raise RuntimeError
    with database.reading() as session:
        assert session.query(Collection).count() == 0


def test_times_come_back_in_utc(database: Database) -> None:
    elsewhere = datetime(2026, 5, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))
    with database.transaction() as session:
        made = _collection("abroad")
        made.created_at = elsewhere
        session.add(made)
    with database.reading() as session:
        found = session.query(Collection).one().created_at
        assert found == elsewhere and found.utcoffset() == timedelta(0)
        assert abs(now(session) - datetime.now(UTC)) < timedelta(seconds=5)


def test_publishing_that_fails_does_not_undo_the_commit(tmp_path: Path) -> None:
    from app.jobs import ledger
    from app.resources import Resources
    from app.settings import Settings

    unreachable = Settings(data=tmp_path, broker_url="redis://127.0.0.1:1/0")
    res = Resources.open(unreachable)
    migrate(res.database)
    with res.database.transaction() as session:
        job_id = ledger.submit(session, "test", collection_id=None, params={}).id
    with res.database.reading() as session:
        from app.db.tables import Job

        assert session.get_one(Job, job_id).state == "queued"
    res.close()
