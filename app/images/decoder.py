"""Decoding in the API process: never in it, always in a guarded child; started when first needed."""

import threading
from pathlib import Path

from app.errors import Invalid
from app.ids import new_id
from app.settings import Settings
from app.storage import Storage
from models.guard import Guard, Task
from models.images.part import Part


class Decoder:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._guard: Guard | None = None

    def working_copy(self, source: Path, name: str, part: Part | None = None) -> bytes:
        """The picture or a part of it upright, sRGB, 256 px short side, as JPEG. Invalid with the image's own code."""
        target = self._decode(source, name, 256, part)
        try:
            return target.read_bytes()
        finally:
            target.unlink()

    def keep(self, storage: Storage, key: str, source: Path, name: str, size: int) -> None:
        """Put a copy with a short side of `size` into the storage."""
        target = self._decode(source, name, size)
        try:
            storage.put([(target, key)])
        finally:
            target.unlink(missing_ok=True)

    def _decode(self, source: Path, name: str, size: int, part: Part | None = None) -> Path:
        target = self.settings.scratch / f"decode-{new_id()}.jpg"
        outcome = self._running().run(Task(source=source, target=target, name=name, size=size, part=part))
        if outcome.code:
            target.unlink(missing_ok=True)
            raise Invalid(outcome.detail or outcome.code, code=outcome.code)
        return target

    def close(self) -> None:
        if self._guard:
            self._guard.close()

    def _running(self) -> Guard:
        with self._lock:
            if self._guard is None:
                self._guard = Guard(1, self.settings.decode_memory_mb, self.settings.decode_seconds)
            return self._guard
