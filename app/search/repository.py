"""Which index answers for a collection."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.db.tables import EmbeddingSet, Encoder, SearchIndex
from app.embeddings import repository as embeddings
from app.errors import Conflict


def index_of(session: Session, collection_id: UUID, encoder: Encoder | None) -> tuple[EmbeddingSet, SearchIndex]:
    """The newest index of the collection, of one encoder or of the one used last."""
    embedding_set = embeddings.newest(session, collection_id, encoder.id if encoder else None)
    index = embeddings.newest_index(session, embedding_set.id) if embedding_set else None
    if embedding_set is None or index is None:
        raise Conflict(
            "The collection has no index for this encoder yet; start one with POST .../clusterings.", code="not_indexed"
        )
    return embedding_set, index
