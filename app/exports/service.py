"""A clustering's images in folders by cluster, the same for every form of export."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from app.db.session import Database
from app.exports import repository
from app.exports.names import Unique, last_part, safe_name
from app.exports.repository import Exported
from app.exports.zipped import Entry, zipped
from app.images.service import original_key
from app.storage import Reader, Storage

LEFT_OUT = "no-cluster"
MISSING = "missing.txt"
PIECE = 2**18


@dataclass(frozen=True)
class Export:
    """What is exported, and from where."""

    database: Database
    storage: Storage
    collection_id: UUID
    clustering_id: UUID

    def folders(self) -> dict[int | None, str]:
        """A folder for each cluster, by its label or number, and one for images in none."""
        unique = Unique([LEFT_OUT, MISSING])
        with self.database.reading() as session:
            labels = repository.labels(session, self.clustering_id)
        found: dict[int | None, str] = {
            number: unique(safe_name(label or f"cluster-{number}", f"cluster-{number}"))
            for number, label in labels.items()
        }
        return found | {None: LEFT_OUT}

    def placed(self) -> Iterator[tuple[str, Exported]]:
        """Every image with its path, cluster by cluster; the same paths each time, while nothing changes."""
        for number, folder in self.folders().items():
            unique = Unique()
            for image in repository.images(self.database, self.clustering_id, number):
                yield f"{folder}/{unique(safe_name(last_part(image.name)))}", image


def as_zip(export: Export) -> Iterator[bytes]:
    """The originals in folders. What is gone from the storage by then is listed in a file of its own."""
    return zipped(_files(export))


def _files(export: Export) -> Iterator[Entry]:
    missing: list[str] = []
    latest = None
    for path, image in export.placed():
        latest = image.taken_at or image.created_at
        key = original_key(export.collection_id, image.image_id, image.sha256)
        try:
            reader = export.storage.reader(key)
        except FileNotFoundError:
            missing.append(f"{image.image_id}  {path}\n")
            continue
        with reader:
            yield path, latest, _pieces(reader)
    if missing and latest:
        yield MISSING, latest, [b"The files of these images are gone:\n", "".join(missing).encode()]


def _pieces(reader: Reader) -> Iterator[bytes]:
    while piece := reader.read(PIECE):
        yield piece
