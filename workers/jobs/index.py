"""The index that answers searches: an immutable folder, swapped in by one row."""

from uuid import UUID

from app.db.session import now
from app.db.tables import EmbeddingSet, SearchIndex
from app.embeddings import repository
from app.embeddings.service import indexes
from app.failpoints import reached
from app.ids import new_id
from models import registry
from models.index import kind_for, open_index
from models.index.base import IndexDamaged
from workers.context import Context

KEEP = 2  # generations: a search that began on the one before may finish


def ensure_index(context: Context, embedding_set: EmbeddingSet) -> None:
    """Build a new generation, unless the newest one has exactly the vectors that the database has, unharmed."""
    with context.database.reading() as session:
        count = repository.count(session, embedding_set.id)
        shard = repository.newest_shard(session, embedding_set.id)
        generations = repository.indexes(session, embedding_set.id)
    context.drop_unpublished(indexes(embedding_set), {row.key for row in generations})
    if shard is None:
        return
    newest, wanted = generations[:1], (kind_for(count), count, shard)
    if any((row.kind, row.count, row.newest_shard) == wanted and _sound(context, row) for row in newest):
        return
    _build(context, embedding_set, *wanted)
    reached("index.swapped")
    _forget_old(context, embedding_set)


def _build(context: Context, embedding_set: EmbeddingSet, kind: str, count: int, shard: UUID) -> None:
    context.progress("index", 0, count, "vectors")
    row_id = new_id()
    key = f"{indexes(embedding_set)}/{row_id}"
    folder = context.folder / "index"
    with context.database.reading() as session:
        blocks = repository.blocks(session, context.storage, embedding_set.id)
        manifest = registry.load("index", kind).build(
            blocks, folder, progress=lambda done, total: context.progress("index", done, total, "vectors")
        )
    context.storage.put([(folder, key)])
    reached("index.stored")
    with context.step("index", manifest.count, count, "vectors") as session:
        session.add(
            SearchIndex(
                id=row_id,
                set_id=embedding_set.id,
                kind=kind,
                key=key,
                count=manifest.count,
                newest_shard=shard,
                created_at=now(session),
            )
        )


def _sound(context: Context, row: SearchIndex) -> bool:
    try:
        open_index(context.storage.local(row.key)).verify()
    except (IndexDamaged, OSError):
        return False
    return True


def _forget_old(context: Context, embedding_set: EmbeddingSet) -> None:
    with context.database.transaction() as session:
        old = repository.indexes(session, embedding_set.id)[KEEP:]
        for row in old:
            session.delete(row)
    reached("index.forgotten")
    for row in old:
        context.storage.delete(row.key)
