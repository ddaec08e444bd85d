"""The index that answers searches: an immutable folder, swapped in by one row."""

from app.db.session import now
from app.db.tables import EmbeddingSet, SearchIndex
from app.embeddings import repository
from app.embeddings.service import indexes
from app.ids import new_id
from models import registry
from models.index import open_index
from models.index.base import IndexDamaged
from workers.context import Context

KIND = "exact"
KEEP = 2  # generations: a search that began on the one before may finish


def ensure_index(context: Context, embedding_set: EmbeddingSet) -> None:
    """Build a new generation, unless the newest one has exactly the vectors that the database has, unharmed."""
    with context.database.reading() as session:
        count = repository.count(session, embedding_set.id)
        shard = repository.newest_shard(session, embedding_set.id)
        generations = repository.indexes(session, embedding_set.id)
    newest = generations[0] if generations else None
    home = indexes(embedding_set)
    context.drop_unpublished(home, {row.key for row in generations})
    if shard is None or (newest and (newest.count, newest.newest_shard) == (count, shard) and _sound(context, newest)):
        return
    context.progress("index", 0, count, "vectors")
    row_id = new_id()
    key = f"{home}/{row_id}"
    folder = context.folder / "index"
    with context.database.reading() as session:
        blocks = repository.blocks(session, context.storage, embedding_set.id)
        manifest = registry.load("index", KIND).build(blocks, folder)
    context.storage.put([(folder, key)])
    with context.step("index", manifest.count, count, "vectors") as session:
        session.add(
            SearchIndex(
                id=row_id,
                set_id=embedding_set.id,
                kind=KIND,
                key=key,
                count=manifest.count,
                newest_shard=shard,
                created_at=now(session),
            )
        )
    _forget_old(context, embedding_set)


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
    for row in old:
        context.storage.delete(row.key)
