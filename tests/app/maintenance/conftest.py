"""The data folder of a service that sorted a small gallery and was stopped; each test damages a copy of its own."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import select

from app.db.tables import Clustering, EmbeddingShard, Encoder, Image, SearchIndex, Table
from app.images.service import remove
from app.maintenance.findings import Finding
from app.maintenance.verify import verify
from app.resources import Resources
from app.settings import Settings
from models.encoders.finetuned import FinetunedEncoder
from tests.app.calls import new_collection
from tests.app.maintenance.trained import add_encoder
from tests.fixtures.pictures import gallery, zipped
from tests.fixtures.services import Service, environment

Row = TypeVar("Row", bound=Table)


@dataclass
class Kept:
    """Data that nobody serves."""

    data: Path
    res: Resources

    def one(self, table: type[Row]) -> Row:
        """The first row."""
        with self.res.database.reading() as session:
            return session.scalars(select(table).order_by(table.__mapper__.primary_key[0]).limit(1)).one()

    def blob(self, key: str) -> Path:
        return self.data / "blobs" / key

    def findings(self) -> list[Finding]:
        return verify(self.res, 0, lambda done, total: None)

    def found(self) -> set[tuple[str, str]]:
        return {(one.kind, one.what) for one in self.findings()}


def flip(path: Path) -> None:
    """Change one byte in the middle; as a new file, since a hard link of the old one may be a backup's."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x20
    path.unlink()
    path.write_bytes(data)


@pytest.fixture(scope="session")
def gallery_data(tmp_path_factory: pytest.TempPathFactory, untrained: FinetunedEncoder) -> Path:
    """Twelve images by archive and one rejected, their clustering with tree and map, and a fine-tuned encoder."""
    data = tmp_path_factory.mktemp("maintenance") / "data"
    service = Service(data, environment(data)).start()
    client = service.client
    collection_id = new_collection(client, "kept")
    images = f"/v1/collections/{collection_id}/images"
    files = gallery(4) | {"broken.jpg": gallery(1)["red/0000.jpg"][:700]}
    job = client.post(images, content=zipped(files), headers={"Content-Type": "application/zip"})
    assert service.job(job.json()["job_id"])["state"] == "succeeded"
    body: dict[str, Any] = {"algorithm": "agglomerative", "k": 3}
    asked = client.post(f"/v1/collections/{collection_id}/clusterings", json=body)
    assert service.job(asked.json()["id"])["state"] == "succeeded"
    image_id = service.pages(images, status="ready")[0]["id"]
    assert client.get(f"/v1/images/{image_id}/thumbnail", params={"size": "1024"}).status_code == 200
    assert service.stop() == [0]
    shutil.rmtree(data / "tmp")  # a job that has just ended may not have cleared its scratch folder yet
    add_encoder(data, collection_id, untrained)
    return data


@pytest.fixture
def kept(gallery_data: Path, tmp_path: Path) -> Iterator[Kept]:
    data = tmp_path / "data"
    shutil.copytree(gallery_data, data)
    res = Resources.open(Settings(data=data))
    yield Kept(data, res)
    res.close()


def keys(kept: Kept) -> dict[str, str]:
    """A blob of each kind that has a row with its key."""
    clustering = kept.one(Clustering)
    with kept.res.database.reading() as session:
        encoder = session.scalars(select(Encoder.key).where(Encoder.key.is_not(None))).one()
    return {
        "shard": kept.one(EmbeddingShard).key,
        "index": kept.one(SearchIndex).key,
        "centres": clustering.centres_key,
        "tree": str(clustering.tree_key),
        "map": str(clustering.map_key),
        "encoder": str(encoder),
    }


class DeleteTheLast:
    """Deletes the last image, as the API does, at the first word of progress; `gone`: the keys of its blobs."""

    def __init__(self, kept: Kept) -> None:
        self.kept, self.gone = kept, list[str]()

    def __call__(self, done: int, total: int) -> None:
        if not self.gone:
            with self.kept.res.database.transaction() as session:
                last = select(Image.id).where(Image.status == "ready").order_by(Image.id.desc()).limit(1)
                self.gone = remove(session, session.scalars(last).one())
            for key in self.gone:
                self.kept.res.storage.delete(key)


def ready(kept: Kept) -> Image:
    with kept.res.database.reading() as session:
        return session.scalars(select(Image).where(Image.status == "ready").limit(1)).one()
