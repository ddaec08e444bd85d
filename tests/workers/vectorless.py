"""Images that have no vectors yet, and jobs of this process that give them some."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from app.db.tables import EmbeddingPart, EmbeddingSet, EmbeddingShard, Encoder, Job
from app.embeddings import parts, repository
from app.embeddings.service import shards
from app.images.service import working_key
from app.jobs import ledger
from app.resources import Resources
from models import registry
from models.embedding import embed
from models.engines import open_engine
from tests.app.calls import new_collection
from tests.fixtures.jobs import run_job
from tests.fixtures.pictures import jpeg
from workers.context import Context
from workers.jobs import embed as job_embed

IMAGES = 12
ENCODER = "efficientnet-lite0"


@dataclass
class Gallery:
    """Decoded images without vectors, and jobs that give them some."""

    resources: Resources
    collection_id: UUID
    set_id: UUID

    def submit(self, kind: str = "cluster", worker: str = "here", **params: Any) -> Context:
        """A job that a worker has claimed and begins now."""
        with self.resources.database.transaction() as session:
            job = ledger.submit(session, kind, collection_id=None, params=params)
            assert ledger.claim(session, job.id, worker, 600) == 1
        with self.resources.database.reading() as session:
            job = session.get_one(Job, job.id)
        folder = self.resources.settings.scratch / str(job.id)
        folder.mkdir()
        return Context(self.resources, job, folder)

    def helper(self, leader: Context) -> Context:
        return self.submit("embed", "there", set=str(self.set_id), job=str(leader.job.id))

    def lead(self, context: Context) -> None:
        with self.resources.database.reading() as session:
            embedding_set = session.get_one(EmbeddingSet, self.set_id)
            encoder = session.get_one(Encoder, embedding_set.encoder_id)
        job_embed.embed_missing(context, encoder, embedding_set)

    def plan(self, leader: Context) -> None:
        with self.resources.database.reading() as session:
            embedding_set = session.get_one(EmbeddingSet, self.set_id)
        assert job_embed._planned(leader, embedding_set) == IMAGES

    def row(self) -> EmbeddingSet:
        with self.resources.database.reading() as session:
            return session.get_one(EmbeddingSet, self.set_id)

    def left(self) -> int:
        with self.resources.database.reading() as session:
            return parts.left(session, self.set_id)

    def take(self, leader: Context, taker: Context) -> EmbeddingPart:
        with self.resources.database.transaction() as session:
            part = parts.take(session, self.set_id, leader.job.id, taker.job.id)
        assert part
        return part

    def end(self, context: Context, **values: Any) -> None:
        with self.resources.database.transaction() as session:
            session.execute(update(Job).where(Job.id == context.job.id).values(**values))

    def check(self) -> None:
        """Every image has its vector, and every stored file is a shard of the set."""
        res = self.resources
        with res.database.reading() as session:
            ids = [UUID(bytes=raw.tobytes()) for raw in repository.ids(session, self.set_id)]
            vectors = repository.vectors(session, res.storage, self.set_id, ids)
            keys = set(session.scalars(select(EmbeddingShard.key)))
        paths = [res.storage.local(working_key(self.collection_id, one)) for one in ids]
        engine = open_engine(registry.load("encoders", ENCODER), cache=res.settings.encoder_cache)
        np.testing.assert_allclose(vectors, np.concatenate(list(embed(paths, engine))), atol=1e-5)
        assert len(ids) == IMAGES and set(res.storage.keys(shards(self.row()))) == keys


@pytest.fixture
def made(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> Gallery:
    monkeypatch.setattr(parts, "PART", 4)
    monkeypatch.setattr(job_embed, "LOOK_EVERY_S", 0.05)
    resources: Resources = api.app.state.resources  # type: ignore[attr-defined]
    collection_id = new_collection(api, "shared")
    files = [("files", (f"{n}.jpg", jpeg("red", n))) for n in range(IMAGES)]
    uploaded = api.post(f"/v1/collections/{collection_id}/images", files=files).json()
    assert uploaded["created"] == IMAGES
    api.post(f"/v1/jobs/{uploaded['job_id']}/cancel")  # there is no worker; the next line does its work
    run_job(resources, "ingest", UUID(collection_id))
    with resources.database.transaction() as session:
        encoder = session.scalars(select(Encoder).where(Encoder.name == ENCODER)).one()
        sha256 = registry.load("encoders", ENCODER).sha256()
        row = repository.ensure(session, UUID(collection_id), encoder, sha256)
    return Gallery(resources, UUID(collection_id), row.id)
