"""What every process of Roost opens once: settings, database, storage, queue."""

import json
import shutil
from dataclasses import dataclass
from typing import Any

from app.db.session import Database
from app.errors import full_disk_named
from app.ids import new_id
from app.jobs.queue import Queue
from app.settings import Settings
from app.storage import Storage, open_storage


@dataclass(frozen=True)
class Resources:
    settings: Settings
    database: Database
    storage: Storage
    queue: Queue

    @classmethod
    def open(cls, settings: Settings, *, announcing: bool = True) -> "Resources":
        """announcing: whether committed jobs are sent to the queue."""
        settings.scratch.mkdir(parents=True, exist_ok=True)
        queue = Queue(settings)
        database = Database(settings.resolved_database_url, queue.publish if announcing else None)
        storage = open_storage(
            settings.resolved_storage_url, cache=settings.storage_cache, cache_bytes=settings.storage_cache_bytes
        )
        return cls(settings, database, storage, queue)

    def put_json(self, key: str, value: Any) -> None:
        """Store what is too large for a job's row. Raises StorageFull."""
        path = self.settings.scratch / f"{new_id()}.json"
        try:
            with full_disk_named():
                path.write_text(json.dumps(value), encoding="ascii")
            self.storage.put([(path, key)])
        finally:
            path.unlink(missing_ok=True)

    def clear_scratch(self) -> None:
        """Throw away the temporary files of a process that is gone; only for who owns the data folder alone."""
        shutil.rmtree(self.settings.scratch, ignore_errors=True)
        self.settings.scratch.mkdir(parents=True, exist_ok=True)

    def close(self) -> None:
        self.queue.close()
        self.database.close()
