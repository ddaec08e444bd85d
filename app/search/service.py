"""Nearest neighbours, from the index that a job wrote; the API opens it and needs no torch."""

import threading
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session
from threadpoolctl import threadpool_limits

from app.collections import repository as collections_repository
from app.db.tables import EmbeddingSet, Encoder, SearchIndex
from app.embeddings import repository as embeddings
from app.encoders import repository as encoders_repository
from app.encoders import service as encoders_service
from app.errors import Conflict, NotFound, Unavailable
from app.images import repository as images_repository
from app.images.decoder import Decoder
from app.images.staging import Staged
from app.resources import Resources
from app.search import repository
from app.search.schemas import Hit, SearchOut
from models.embedding import load_pixels
from models.encoders.base import EncoderError
from models.engines import open_engine
from models.engines.base import Engine
from models.index import open_index
from models.index.base import Index, IndexDamaged

OPEN_ENGINES = 8  # each keeps a network in memory
OPEN_INDEXES = 16  # memory-mapped, so an open one costs address space and page cache only


class Searcher:
    """Indexes and query engines that are open, by id and by encoder."""

    def __init__(self, res: Resources, decoder: Decoder) -> None:
        self.res, self.decoder = res, decoder
        # One query is one pass over memory. A second BLAS thread gains little, and loses much when the cores are busy.
        threadpool_limits(1, user_api="blas")
        self._opening_index, self._opening_engine = threading.Lock(), threading.Lock()
        self._indexes: dict[UUID, Index] = {}
        self._engines: dict[UUID, tuple[Engine, threading.Lock]] = {}

    def by_image(self, session: Session, collection_id: UUID, image_id: UUID, k: int, encoder: str | None) -> SearchOut:
        """Neighbours of an image of the collection, without itself."""
        embedding_set, row, used = self._index_of(session, collection_id, encoder)
        if images_repository.get(session, image_id).collection_id != collection_id:
            raise NotFound(f"There is no image {image_id} in this collection.", code="image_not_found")
        index = self._open(row)
        query = index.vector(image_id)
        if query is None:
            try:
                query = embeddings.vectors(session, self.res.storage, embedding_set.id, [image_id])[0]
            except KeyError as error:
                raise Conflict(
                    f"The image {image_id} is not embedded by {used.name} yet; POST .../assign or .../clusterings.",
                    code="not_embedded",
                ) from error
        return SearchOut(encoder=used.name, hits=self._hits(session, index, query, k, image_id))

    def by_picture(
        self, session: Session, collection_id: UUID, picture: Staged, k: int, encoder: str | None
    ) -> SearchOut:
        """Neighbours of a picture that was sent along; it is not kept."""
        _, row, used = self._index_of(session, collection_id, encoder)
        engine, turn = self._engine(used)
        pixels = load_pixels(self.decoder.working_copy(picture.path, picture.name), engine.input_size)
        with turn:
            query = next(iter(engine.run([pixels[None]])))[0]
        return SearchOut(encoder=used.name, hits=self._hits(session, self._open(row), query, k, None))

    def _index_of(
        self, session: Session, collection_id: UUID, encoder: str | None
    ) -> tuple[EmbeddingSet, SearchIndex, Encoder]:
        collections_repository.get(session, collection_id)
        wanted = encoders_repository.named(session, encoder, collection_id) if encoder else None
        embedding_set, row = repository.index_of(session, collection_id, wanted)
        used = wanted or encoders_repository.get(session, embedding_set.encoder_id)
        return embedding_set, row, used

    def _hits(self, session: Session, index: Index, query: np.ndarray, k: int, itself: UUID | None) -> list[Hit]:
        """The k best that still exist: the database is the truth, the index may be a little behind it.

        Asks for more when deleted images took places; stops when the index has no more to give.
        """
        wanted = k + (itself is not None)
        while True:
            scores, ids = index.search(query[None], min(wanted, len(index)))
            names = images_repository.names(session, ids[0])
            found = [
                Hit(image_id=one, name=names[one], score=round(float(score), 6))
                for score, one in zip(scores[0], ids[0], strict=True)
                if one in names and one != itself
            ]
            if len(found) >= k or wanted >= len(index):
                return found[:k]
            wanted *= 2

    def _open(self, row: SearchIndex) -> Index:
        with self._opening_index:
            if row.id not in self._indexes:
                while len(self._indexes) >= OPEN_INDEXES:
                    self._indexes.pop(next(iter(self._indexes)))
                try:
                    self._indexes[row.id] = open_index(self.res.storage.local(row.key))
                except IndexDamaged as error:
                    raise Unavailable(
                        f"The index is damaged ({error}); POST .../clusterings builds it again.", code="index_damaged"
                    ) from error
            return self._indexes[row.id]

    def _engine(self, encoder: Encoder) -> tuple[Engine, threading.Lock]:
        """The engine and the lock of its turns. The first call of an encoder may convert it, which takes seconds."""
        with self._opening_engine:
            if encoder.id not in self._engines:
                while len(self._engines) >= OPEN_ENGINES:
                    self._engines.pop(next(iter(self._engines)))
                settings = self.res.settings
                try:
                    plugin = encoders_service.plugin(self.res.storage, encoder)
                    engine = open_engine(
                        plugin, device="cpu", cache=settings.encoder_cache, batch=1, precision=settings.precision
                    )
                except EncoderError as error:
                    raise Unavailable(str(error), code=getattr(error, "code", "encoder_unavailable")) from error
                self._engines[encoder.id] = engine, threading.Lock()
            return self._engines[encoder.id]
