"""Where the files of an embedding set live."""

from app.collections.service import prefix
from app.db.tables import EmbeddingSet


def shards(embedding_set: EmbeddingSet) -> str:
    return f"{prefix(embedding_set.collection_id)}/embeddings/{embedding_set.id}"


def indexes(embedding_set: EmbeddingSet) -> str:
    return f"{prefix(embedding_set.collection_id)}/indexes/{embedding_set.id}"
