"""A collection for the sample gallery, and the job that draws it."""

from sqlalchemy.orm import Session

from app.collections import service as collections_service
from app.collections.schemas import CollectionIn
from app.db.tables import Job
from app.jobs import ledger
from app.samples.schemas import SampleIn

KIND = "sample"


def create(session: Session, body: SampleIn, request_id: str | None) -> Job:
    """The collection is there at once; workers/jobs/sample.py fills it."""
    collection = collections_service.create(session, CollectionIn(name=body.name))
    return ledger.submit(
        session,
        KIND,
        collection_id=collection.id,
        params={"images": body.images, "seed": body.seed},
        lock=collections_service.lock(collection.id),
        request_id=request_id,
    )
