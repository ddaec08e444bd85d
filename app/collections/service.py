"""What may be done with collections."""

from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app import preconditions
from app.access import quotas
from app.collections import repository
from app.collections.covers import covers
from app.collections.schemas import CollectionIn, CollectionOut, CollectionPatch, ImageCounts
from app.db.session import now
from app.db.tables import Collection
from app.jobs import ledger
from app.jobs import repository as jobs


def create(session: Session, body: CollectionIn) -> Collection:
    moment = now(session)
    collection = Collection(name=body.name, description=body.description, created_at=moment, updated_at=moment)
    session.add(collection)
    session.flush()
    return collection


def etag(collection: Collection) -> str:
    return f'"{collection.version}"'


def check(collection: Collection, if_match: str | None, *, required: bool) -> None:
    """Refuse a change that was made without having seen the newest state."""
    preconditions.check(etag(collection), if_match, "The collection", required=required)


def change(session: Session, collection_id: UUID, patch: CollectionPatch, if_match: str | None) -> Collection:
    collection = repository.get(session, collection_id, lock=True)
    check(collection, if_match, required=True)
    if patch.name is not None:
        collection.name = patch.name
    if "description" in patch.model_fields_set:
        collection.description = patch.description
    collection.version += 1
    collection.updated_at = now(session)
    return collection


def remove(session: Session, collection_id: UUID, if_match: str | None, request_id: str | None) -> None:
    """Take the rows away now and the files in a job; what still runs for the collection is cancelled."""
    collection = repository.get(session, collection_id, lock=True)
    check(collection, if_match, required=False)
    used = repository.used(session, collection_id)
    unfinished = jobs.unfinished(session, collection_id)
    for job in unfinished:
        ledger.request_cancel(session, job.id)
    session.execute(delete(Collection).where(Collection.id == collection_id))
    quotas.give_back(session, collection.owner_id, *used)
    _sweep(session, collection_id, lock(collection_id), [prefix(collection_id)], request_id)
    if any(job.lock == training_lock(collection_id) for job in unfinished):  # it may store something after that sweep
        folders = [encoders_folder(collection_id), checkpoints_folder(collection_id)]
        _sweep(session, collection_id, training_lock(collection_id), folders, request_id)


def _sweep(session: Session, collection_id: UUID, lock: str, prefixes: list[str], request_id: str | None) -> None:
    params = {"prefixes": prefixes}
    ledger.submit(session, "sweep", collection_id=collection_id, params=params, lock=lock, request_id=request_id)


def lock(collection_id: UUID) -> str:
    """Jobs that change a collection run one after the other, in the order they were asked for."""
    return f"collection:{collection_id}"


def training_lock(collection_id: UUID) -> str:
    """Trainings on a collection run one after the other, beside its other jobs: they only read what those write."""
    return f"training:{collection_id}"


def prefix(collection_id: UUID) -> str:
    """Where all blobs of a collection live."""
    return f"collections/{collection_id}"


def encoders_folder(collection_id: UUID) -> str:
    """Where the encoders that were fine-tuned on a collection live."""
    return f"{prefix(collection_id)}/encoders"


def checkpoints_folder(collection_id: UUID) -> str:
    """Where trainings under way keep their checkpoints, a folder a job."""
    return f"{prefix(collection_id)}/checkpoints"


def shown(session: Session, collections: list[Collection]) -> list[CollectionOut]:
    """So many queries, however many collections."""
    ids = [collection.id for collection in collections]
    counts, newest = repository.counts(session, ids), repository.newest(session, ids)
    shown_first = covers(session, {one: newest[one].clustering_id for one in ids})
    return [_shown(row, counts.get(row.id, {}), newest[row.id], shown_first[row.id]) for row in collections]


def _shown(
    collection: Collection, counts: dict[str, tuple[int, int]], newest: repository.Newest, covers: list[UUID]
) -> CollectionOut:
    return CollectionOut(
        id=collection.id,
        name=collection.name,
        description=collection.description,
        images=ImageCounts(**{status: count for status, (count, _) in counts.items()}),
        bytes=sum(size for _, size in counts.values()),
        covers=covers,
        clustering_id=newest.clustering_id,
        job_id=newest.job_id,
        created_at=collection.created_at,
        updated_at=collection.updated_at,
    )
