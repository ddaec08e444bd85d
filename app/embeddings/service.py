"""Where the files of an embedding set live."""

from uuid import UUID

from app.collections.service import prefix
from app.db.tables import EmbeddingSet


def shards(embedding_set: EmbeddingSet) -> str:
    return f"{prefix(embedding_set.collection_id)}/embeddings/{embedding_set.id}"


def shard(embedding_set: EmbeddingSet, shard_id: UUID) -> str:
    return f"{shards(embedding_set)}/{shard_id}.npy"


def indexes(embedding_set: EmbeddingSet) -> str:
    return f"{prefix(embedding_set.collection_id)}/indexes/{embedding_set.id}"
