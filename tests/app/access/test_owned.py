"""The owner predicate: in every kind of statement, on both databases, and for every table a decision."""

from uuid import UUID

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import aliased

from app.collections import service as collections_service
from app.collections.schemas import CollectionIn
from app.db import owned
from app.db.caller import ANYBODY, CALLER
from app.db.tables import Clustering, Collection, Encoder, Image, Job, Table
from app.jobs import ledger
from tests.app.access.conftest import Keyed
from tests.fixtures.clusterings import Gallery, blobs


def test_every_table_has_been_decided_on() -> None:
    """A new table stands in one of these lists, or somebody's rows are everybody's."""
    decided = [*owned.OWNED, *owned.IN_COLLECTION, *owned.IN_CLUSTERING, *owned.BELOW, *owned.OF_ALL, Encoder]
    assert {mapper.class_ for mapper in Table.registry.mappers} == set(decided)
    assert len(decided) == len(set(decided))


def test_what_names_a_collection_or_clustering_is_bound_to_it() -> None:
    for mapper in Table.registry.mappers:
        table, columns = mapper.class_, {column.key for column in mapper.columns}
        if table in owned.BELOW:
            assert "collection_id" not in columns, table
        if table in owned.IN_COLLECTION:
            assert "collection_id" in columns, table
        if table in owned.IN_CLUSTERING:
            assert "clustering_id" in columns, table


@pytest.fixture
def adas(keyed: Keyed) -> Gallery:
    """A gallery of Ada's, with a clustering."""
    with keyed.called_by("ada"):
        gallery = Gallery.make(keyed.resources)
    vectors, truth = blobs(2, 3)
    gallery.add(vectors)
    gallery.cluster(truth)
    return gallery


def test_no_kind_of_query_finds_the_rows_of_another(keyed: Keyed, adas: Gallery) -> None:
    image, collection = adas.images[0], adas.collection_id
    other = aliased(Image)
    joined = select(Image.id).join(Collection, Collection.id == Image.collection_id)
    queries = [
        select(Collection),
        select(Collection.id, select(Image.id).where(Image.collection_id == Collection.id).limit(1).scalar_subquery()),
        select(Image).where(Image.id == image).with_for_update(),
        select(Image.name).where(Image.id == image),
        select(other.id),
        joined,
        select(Collection.name).where(Collection.id == Image.collection_id, Image.id == image),
        select(Clustering.id),
        select(func.max(Image.bytes)).having(func.count() > 0),
        select(func.count()).where(Image.collection_id == collection).having(func.count() > 0),
        select(func.count()).select_from(Image).having(func.count() > 0),
        select(func.count()).select_from(select(Image.id).subquery()).having(func.count() > 0),
        select(Encoder.id).where(select(Image.id).where(Image.id == image).exists()),
    ]
    for owner, there in (("ada", True), ("bob", False)):
        with keyed.called_by(owner, "admin"), keyed.resources.database.transaction() as session:
            for query in queries:
                assert bool(session.execute(query).all()) is there, (owner, str(query))
            assert (session.get(Image, image) is not None) is there
            assert (
                session.get(Collection, collection, with_for_update=True, populate_existing=True) is not None
            ) is there


def test_nobody_changes_the_rows_of_another(keyed: Keyed, adas: Gallery) -> None:
    image = adas.images[0]
    changes = [
        update(Image).where(Image.id == image).values(name="taken").returning(Image.id),
        delete(Image).where(Image.id == image).returning(Image.id),
        delete(Collection).where(Collection.id == adas.collection_id).returning(Collection.id),
    ]
    for owner, done in (("bob", False), ("ada", True)):
        with keyed.called_by(owner), keyed.resources.database.transaction() as session:
            assert [bool(session.execute(change).all()) for change in changes] == [done] * 3, owner


def test_built_in_encoders_are_everybodys(keyed: Keyed, adas: Gallery) -> None:
    with keyed.resources.database.transaction() as session:
        row = session.scalars(select(Encoder)).first()
        assert row
        mine = {"origin": "finetuned", "params": {}, "dim": 8, "created_at": row.created_at}
        session.add(Encoder(name="mine", collection_id=adas.collection_id, **mine))
    for owner, count in (("ada", 1), ("bob", 0)):
        with keyed.called_by(owner), keyed.resources.database.reading() as session:
            found = list(session.scalars(select(Encoder)))
            assert sum(one.name == "mine" for one in found) == count
            assert sum(one.name == row.name for one in found) == 1


def test_what_is_made_belongs_to_who_makes_it_and_a_workers_job_to_the_collections_owner(keyed: Keyed) -> None:
    database = keyed.resources.database
    with keyed.called_by("ada") as ada, database.transaction() as session:
        collection = collections_service.create(session, CollectionIn(name="Garden"))
        asked = ledger.submit(session, "sweep", collection_id=collection.id, params={"prefixes": []})
    with database.transaction() as session:  # as a worker does
        found = ledger.submit(session, "sweep", collection_id=collection.id, params={"prefixes": []})
        alone = ledger.submit(session, "sweep", collection_id=None, params={"prefixes": []})
    with database.reading() as session:
        owners = {one: session.get_one(Job, one).owner_id for one in (asked.id, found.id, alone.id)}
        assert session.get_one(Collection, collection.id).owner_id == ada.owner_id
    assert list(owners.values()) == [ada.owner_id, ada.owner_id, UUID(int=1)]
    with keyed.called_by("bob"), database.reading() as session:
        assert session.get(Job, asked.id) is None


def test_without_keys_no_statement_is_touched(keyed: Keyed, adas: Gallery) -> None:
    before = CALLER.set(ANYBODY)
    try:
        with keyed.resources.database.reading() as session:
            assert session.get(Image, adas.images[0])
    finally:
        CALLER.reset(before)


def test_sums_over_the_installation_say_so(keyed: Keyed, adas: Gallery) -> None:
    count = select(func.count()).select_from(Image)
    with keyed.called_by("bob"):
        with keyed.resources.database.reading() as session:
            assert session.scalar(count) == 0
        with keyed.resources.database.reading(everybody=True) as session:
            assert session.scalar(count) >= len(adas.images)
