"""Indexes and query engines that are open, by id and by encoder."""

import threading
from functools import partial
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from app.db.tables import Encoder, SearchIndex
from app.encoders import service as encoders_service
from app.errors import Unavailable
from app.resources import Resources
from app.storage import Storage
from models.embedding import load_pixels
from models.encoders.base import EncoderError
from models.engines import open_engine
from models.engines.base import Engine
from models.index import open_index
from models.index.base import Index, IndexDamaged

OPEN_ENGINES = 8  # each keeps a network in memory
OPEN_INDEXES = 16  # memory-mapped, so an open one costs address space and page cache only


class Opened:
    def __init__(self, res: Resources) -> None:
        self.res = res
        # One query is one pass over memory. A second BLAS thread gains little, and loses much when the cores are busy.
        threadpool_limits(1, user_api="blas")
        self._opening_index, self._opening_engine = threading.Lock(), threading.Lock()
        self._indexes: dict[UUID, Index] = {}
        self._read: dict[UUID, str] = {}  # those that were read, or are; and what was found to be wrong
        self._engines: dict[UUID, tuple[Engine, threading.Lock]] = {}

    def index(self, row: SearchIndex) -> Index:
        """Unavailable (index_damaged) where it can't be opened, or reading all of it has found it changed."""
        with self._opening_index:
            try:
                if row.id not in self._indexes:
                    while len(self._indexes) >= OPEN_INDEXES:
                        self._indexes.pop(next(iter(self._indexes)))
                    self._indexes[row.id] = _open(self.res.storage, row)
                    self._read_all(row.id)
                if found := self._read.get(row.id):
                    raise IndexDamaged(found)
            except IndexDamaged as error:
                raise Unavailable(
                    f"The index is damaged ({error}); POST .../clusterings builds it again.", code="index_damaged"
                ) from error
            return self._indexes[row.id]

    def _read_all(self, row_id: UUID) -> None:
        """Once a process, beside the searches: a large index takes a minute, and its size has been checked."""
        index = self._indexes[row_id]

        def read() -> None:
            try:
                index.verify()
            except IndexDamaged as error:  # also of a generation that was removed meanwhile, and is asked for no more
                self._read[row_id] = str(error)

        if row_id not in self._read:
            self._read[row_id] = ""
            threading.Thread(target=read, name="index-check", daemon=True).start()

    def embedded(self, encoder: Encoder, working_copy: bytes) -> NDArray[np.float32]:
        """The (D,) unit vector of a working copy."""
        engine, turn = self._engine(encoder)
        pixels = load_pixels(working_copy, engine.input_size)
        with turn:
            vectors: NDArray[np.float32] = next(iter(engine.run([pixels[None]])))
        vector: NDArray[np.float32] = vectors[0]
        return vector

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


def _open(storage: Storage, row: SearchIndex) -> Index:
    """What is fetched from a store elsewhere is compared with its manifest, byte by byte, once a machine."""
    opened = open_index(storage.local(row.key, partial(open_index, verify=True)))
    said, wanted = (opened.manifest.kind, opened.manifest.count), (row.kind, row.count)
    if said != wanted:
        raise IndexDamaged(f"it is {said[0]} of {said[1]} vectors, and its row says {wanted[0]} of {wanted[1]}")
    return opened
