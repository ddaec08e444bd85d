"""What every process of Roost opens once: settings, database, storage, queue."""

import shutil
from dataclasses import dataclass

from app.db.session import Database
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
    def open(cls, settings: Settings) -> "Resources":
        settings.scratch.mkdir(parents=True, exist_ok=True)
        queue = Queue(settings)
        database = Database(settings.resolved_database_url, queue.publish)
        storage = open_storage(
            settings.resolved_storage_url, cache=settings.storage_cache, cache_bytes=settings.storage_cache_bytes
        )
        return cls(settings, database, storage, queue)

    def clear_scratch(self) -> None:
        """Throw away the temporary files of a process that is gone; only for who owns the data folder alone."""
        shutil.rmtree(self.settings.scratch, ignore_errors=True)
        self.settings.scratch.mkdir(parents=True, exist_ok=True)

    def close(self) -> None:
        self.database.close()
