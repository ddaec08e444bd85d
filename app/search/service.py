"""Nearest neighbours, from the index that a job wrote; the API opens it and needs no torch."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select
from sqlalchemy.orm import Session

from app.collections import repository as collections_repository
from app.db.tables import EmbeddingSet, Encoder, Image, SearchIndex
from app.embeddings import repository as embeddings
from app.encoders import repository as encoders_repository
from app.errors import Conflict, Invalid
from app.images import repository as images_repository
from app.images.decoder import Decoder
from app.images.service import original_key
from app.images.staging import Staged
from app.resources import Resources
from app.search import repository
from app.search.opened import Opened
from app.search.schemas import Filters, Hit, Query, SearchOut, part
from app.storage.missing import missing
from models.images.part import Part
from models.index.base import Index
from models.index.feedback import NoDirection, rocchio

FIRST = 500  # neighbours that a filter sees before all that it admits are fetched: enough if it admits a fiftieth


class Searcher:
    """Answers queries with what is open; one for the whole process."""

    def __init__(self, res: Resources, decoder: Decoder) -> None:
        self.res, self.decoder = res, decoder
        self._opened = Opened(res)

    def by_query(
        self, session: Session, collection_id: UUID, asked: Query, k: int, encoder: str | None, filters: Filters
    ) -> SearchOut:
        """Neighbours of an image, of a part of it, or of examples; none of these is a hit itself."""
        embedding_set, row, used = self._index_of(session, collection_id, encoder)
        index = self._opened.index(row)
        positives, negatives = asked.positives or [], asked.negatives or []
        named = [asked.image_id] if asked.image_id else [*positives, *negatives]
        repository.check_members(session, collection_id, named)
        if asked.image_id and asked.box:
            vector = self._part(session, asked.image_id, part(asked.box), used)
        else:
            vectors = self._vectors(session, index, embedding_set, used, named)
            split = len(positives) or 1
            vector = _between(vectors[:split], vectors[split:])
        admitted = repository.admitted(session, collection_id, filters)
        return SearchOut(encoder=used.name, hits=_hits(session, index, vector, k, set(named), admitted))

    def by_picture(
        self,
        session: Session,
        collection_id: UUID,
        picture: Staged,
        box: Part | None,
        k: int,
        encoder: str | None,
        filters: Filters,
    ) -> SearchOut:
        """Neighbours of a picture that was sent along, or of a part of it; it is not kept."""
        _, row, used = self._index_of(session, collection_id, encoder)
        admitted = repository.admitted(session, collection_id, filters)
        vector = self._opened.embedded(used, self.decoder.working_copy(picture.path, picture.name, box))
        return SearchOut(encoder=used.name, hits=_hits(session, self._opened.index(row), vector, k, set(), admitted))

    def _index_of(
        self, session: Session, collection_id: UUID, encoder: str | None
    ) -> tuple[EmbeddingSet, SearchIndex, Encoder]:
        collections_repository.get(session, collection_id)
        wanted = encoders_repository.named(session, encoder, collection_id) if encoder else None
        embedding_set, row = repository.index_of(session, collection_id, wanted)
        used = wanted or encoders_repository.get(session, embedding_set.encoder_id)
        return embedding_set, row, used

    def _vectors(
        self, session: Session, index: Index, embedding_set: EmbeddingSet, used: Encoder, image_ids: Sequence[UUID]
    ) -> NDArray[np.float32]:
        """(N, D) of images of the collection, also of those that came after the index was built."""
        found = [index.vector(image_id) for image_id in image_ids]
        later = [image_id for image_id, vector in zip(image_ids, found, strict=True) if vector is None]
        try:
            rest = iter(embeddings.vectors(session, self.res.storage, embedding_set.id, later) if later else ())
        except KeyError as error:
            raise Conflict(
                f"The image {error.args[0]} is not embedded by {used.name} yet; POST .../assign or .../clusterings.",
                code="not_embedded",
            ) from error
        return np.stack([next(rest) if vector is None else vector for vector in found])

    def _part(self, session: Session, image_id: UUID, box: Part, used: Encoder) -> NDArray[np.float32]:
        """Embedded from the original: of a working copy too few pixels would be left."""
        image = images_repository.get(session, image_id)
        if image.status == "pending":
            raise Conflict("The image is not decoded yet.", code="image_pending", headers={"Retry-After": "1"})
        key = original_key(image.collection_id, image.id, image.sha256)
        try:
            return self._opened.embedded(used, self.decoder.working_copy(self.res.storage.local(key), image.name, box))
        except FileNotFoundError as error:
            raise missing(key) from error


def _between(positives: NDArray[np.float32], negatives: NDArray[np.float32]) -> NDArray[np.float32]:
    try:
        return rocchio(positives, negatives)
    except NoDirection as error:
        raise Invalid("The examples cancel each other out; leave some away.", code="no_direction") from error


def _hits(
    session: Session,
    index: Index,
    query: NDArray[np.float32],
    k: int,
    without: set[UUID],
    admitted: Select[Image] | None,
) -> list[Hit]:
    """The k best that still exist: the database is the truth, the index may be a little behind it.

    Asks for more when deleted images took places; stops when the index has no more to give. A filter first chooses
    among the best; when it leaves too few, all that it admits are compared.
    """
    wanted = k + len(without) if admitted is None else max(FIRST, 2 * k + len(without))
    while True:
        found = _found(session, index, query, min(wanted, len(index)), without, admitted)
        if len(found) >= k or wanted >= len(index):
            return found[:k]
        if admitted is not None:
            only = repository.ids(session, admitted)
            return _found(session, index, query, k + len(without), without, None, only)[:k]
        wanted *= 2


def _found(
    session: Session,
    index: Index,
    query: NDArray[np.float32],
    wanted: int,
    without: set[UUID],
    admitted: Select[Image] | None,
    only: NDArray[np.uint8] | None = None,
) -> list[Hit]:
    scores, ids = index.search(query[None], wanted, only)
    names = repository.names(session, admitted, ids[0])
    return [
        Hit(image_id=one, name=names[one], score=round(float(score), 6))
        for score, one in zip(scores[0], ids[0], strict=True)
        if one in names and one not in without
    ]
