"""The owner predicate: who has a key finds the rows of their own collections, and no others, whatever a route asks.

It is added to every select, update and delete that names a mapped class, aliases and subqueries included, so that no
query can forget it (docs/decisions/0013). Not reached are a bare `exists()` without columns, whose classes SQLAlchemy
does not look for (write `select(...).exists()`), and rows that are inserted: those get their owner by a column default.
"""

from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, event, or_, select
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria
from sqlalchemy.orm.util import LoaderCriteriaOption

from app.db.caller import confined_to
from app.db.tables import (
    ApiKey,
    Assignment,
    Audit,
    AuditRecord,
    Centre,
    Cluster,
    Clustering,
    Collection,
    DuplicatePair,
    DuplicateScan,
    Edit,
    EditMove,
    Embedding,
    EmbeddingPart,
    EmbeddingSet,
    EmbeddingShard,
    Encoder,
    EncoderMeasure,
    Group,
    GroupImage,
    IdempotencyKey,
    Image,
    Job,
    JobStage,
    LogIn,
    Owner,
    Prediction,
    Propagation,
    SearchIndex,
    Table,
    TrainingEpoch,
    Upload,
    UploadPiece,
    Worker,
)

OWNED: tuple[type[Collection] | type[Job], ...] = (Collection, Job)  # say themselves whose they are
IN_COLLECTION: tuple[type[Any], ...] = (
    Clustering, DuplicateScan, EmbeddingSet, EncoderMeasure, Group, Image, Upload,
)  # fmt: skip
IN_CLUSTERING: tuple[type[Any], ...] = (Audit, Edit, Propagation)  # whose ids come in addresses
# Below a row that was found first: they cost no predicate, and no address names them alone.
BELOW: tuple[type[Table], ...] = (
    Assignment, Centre, Cluster, DuplicatePair, EditMove, Embedding, EmbeddingPart, EmbeddingShard, GroupImage,
    JobStage, Prediction, SearchIndex, TrainingEpoch, UploadPiece,
)  # fmt: skip
# Of the installation: reached by the code that decides who calls, by admins, and by readiness and metrics.
OF_ALL: tuple[type[Table], ...] = (ApiKey, AuditRecord, IdempotencyKey, LogIn, Owner, Worker)
EVERYBODY = "everybody"  # in Session.info: this one counts the whole installation


class OwnedSession(Session):
    """A session in which a caller with a key finds only what is theirs."""


@event.listens_for(OwnedSession, "do_orm_execute")
def _confine(state: ORMExecuteState) -> None:
    owner = confined_to()
    if owner is None or state.session.info.get(EVERYBODY) or not state.is_orm_statement:
        return
    if state.is_column_load or state.is_relationship_load:  # more of a row that was found before
        return
    state.statement = state.statement.options(*_criteria(owner))


@lru_cache(1024)
def _criteria(owner: UUID) -> tuple[LoaderCriteriaOption, ...]:
    collections, clusterings = _collections(owner), _clusterings(owner)
    builtin = Encoder.collection_id.is_(None)  # everybody's
    found: list[tuple[type[Table], ColumnElement[bool]]] = [(one, one.owner_id == owner) for one in OWNED]
    found += [(one, one.collection_id.in_(collections)) for one in IN_COLLECTION]
    found += [(one, one.clustering_id.in_(clusterings)) for one in IN_CLUSTERING]
    found += [(Encoder, or_(builtin, Encoder.collection_id.in_(collections)))]
    return tuple(with_loader_criteria(one, condition, include_aliases=True) for one, condition in found)


# Tables under names of their own, which no predicate is added to, and which no query around them takes for its own.
def _collections(owner: UUID) -> Select[UUID]:
    table = Collection.__table__.alias("owned_collections")
    return select(table.c.id).where(table.c.owner_id == owner).correlate(None)


def _clusterings(owner: UUID) -> Select[UUID]:
    table = Clustering.__table__.alias("owned_clusterings")
    return select(table.c.id).where(table.c.collection_id.in_(_collections(owner))).correlate(None)
