"""Filters on a collection where what they admit is far from the query: as exact as a comparison with all."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.migrate import migrate
from app.db.session import Database, now
from app.db.tables import Collection, Image
from app.ids import new_id
from app.search import repository, service
from app.search.schemas import Filters
from models import registry
from models.clustering.unit_vectors import unit_rows
from models.index import open_index
from models.index.base import Index

COUNT, RARE = 900, 40


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A collection of which the first images are named rare, the others common."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('filtered') / 'roost.db'}")
    migrate(database)
    with database.transaction() as session:
        moment = now(session)
        session.add(collection := Collection(name="c", created_at=moment, updated_at=moment))
        session.flush()
        for n in range(COUNT):
            session.add(
                Image(
                    id=new_id(), collection_id=collection.id, name=f"{'rare' if n < RARE else 'common'}/{n}",
                    sha256=f"{n:064}", bytes=1, format="jpeg", width=1, height=1, status="ready", job_id=new_id(),
                    created_at=moment,
                )
            )  # fmt: skip
    with database.reading() as session:
        yield session
    database.close()


@pytest.fixture(scope="module", params=["exact", "ivf"])
def index(request: pytest.FixtureRequest, session: Session, tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Those named rare point away from the query (1, 0, 0, ...)."""
    ids = list(session.scalars(select(Image.id).order_by(Image.id)))
    vectors = np.random.default_rng(0).standard_normal((COUNT, 8))
    vectors[:, 0] = np.where(np.arange(COUNT) < RARE, -3, 3)
    folder: Path = tmp_path_factory.mktemp("index") / "index"
    registry.load("index", request.param).build([(ids, unit_rows(vectors))], folder)
    return open_index(folder)


@pytest.mark.parametrize("k", [1, 10, 100])
@pytest.mark.parametrize(("name", "there"), [("rare", RARE), ("common", COUNT - RARE), ("none", 0), ("/", COUNT)])
def test_the_best_of_what_is_admitted(session: Session, index: Index, name: str, there: int, k: int) -> None:
    collection_id = session.scalars(select(Collection.id)).one()
    admitted = repository.admitted(session, collection_id, Filters(name=name))
    assert admitted is not None
    query = np.eye(8, dtype=np.float32)[0]
    hits = service._hits(session, index, query, k, {UUID(int=1)}, admitted)
    assert len(hits) == min(k, there) and all(name in hit.name for hit in hits)
    images = session.execute(select(Image.id, Image.name)).all()
    truth = sorted((float(index.vector(i) @ query) for i, called in images if name in called), reverse=True)  # type: ignore[operator]
    np.testing.assert_allclose([hit.score for hit in hits], truth[:k], atol=2e-6)
