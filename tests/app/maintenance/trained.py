"""A fine-tuned encoder in a data folder, as its job would leave it."""

import shutil
from pathlib import Path
from uuid import UUID

from app.db.session import now
from app.db.tables import Encoder
from app.encoders.service import FINETUNED, key
from app.ids import new_id
from app.resources import Resources
from app.settings import Settings
from models.encoders.finetuned import REPORT, FinetunedEncoder


def add_encoder(data: Path, collection_id: str, made: FinetunedEncoder) -> None:
    res = Resources.open(Settings(data=data))
    encoder_id, home = new_id(), UUID(collection_id)
    folder = res.settings.scratch / "encoder"
    shutil.copytree(made.folder, folder)
    (folder / REPORT).write_text("a report")
    res.storage.put([(folder, key(home, encoder_id))])
    told = made.description
    with res.database.transaction() as session:
        row = Encoder(
            id=encoder_id, name=told.name, origin=FINETUNED, base=told.base, method=told.method, params=told.params,
            dim=told.dim, collection_id=home, key=key(home, encoder_id), sha256=told.sha256, ir_sha256=told.ir_sha256,
            created_at=now(session),
        )  # fmt: skip
        session.add(row)
    res.close()
