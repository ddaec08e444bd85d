"""What is known of an encoder beyond its row, and the end of one."""

from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.clusterings import repository as clusterings
from app.collections import service as collections_service
from app.db.tables import Encoder
from app.embeddings import repository as embeddings
from app.embeddings import service as embeddings_service
from app.encoders import repository
from app.encoders.schemas import EncoderOut, TrainingOut
from app.errors import Conflict, NotFound
from app.jobs import ledger
from app.jobs import repository as jobs
from app.maps import file as maps
from app.storage import Storage
from models import registry
from models.encoders import base as models
from models.encoders.finetuned import REPORT, FinetunedEncoder

FINETUNED = "finetuned"


def key(collection_id: UUID, encoder_id: UUID) -> str:
    """The blobs of a fine-tuned encoder: a folder as models/encoders/finetuned.py describes it."""
    return f"{collections_service.encoders_folder(collection_id)}/{encoder_id}"


def plugin(storage: Storage, row: Encoder) -> models.Encoder:
    """The encoder that a row stands for. Raises EncoderUnavailable, EncoderDamaged, EncoderHashMismatch."""
    if row.origin != FINETUNED:
        found: models.Encoder = registry.load("encoders", row.name)
        return found
    opened = FinetunedEncoder.open(storage.local(str(row.key)))
    for claimed, expected in ((opened.description.sha256, row.sha256), (opened.description.ir_sha256, row.ir_sha256)):
        if claimed != expected:
            raise models.EncoderHashMismatch(opened.folder, str(expected), claimed)
    return opened


def unavailable(storage: Storage, row: Encoder) -> str | None:
    """Why it can't be used right now, in a sentence; None when it can."""
    try:
        return plugin(storage, row).unavailable()
    except models.EncoderError as error:
        return str(error)


def shown(storage: Storage, row: Encoder) -> EncoderOut:
    reason = unavailable(storage, row)
    sha256 = row.sha256
    if row.origin != FINETUNED and reason is None:
        sha256 = plugin(storage, row).sha256()
    computed = {"sha256": sha256, "available": reason is None, "reason": reason}
    fields = {name: getattr(row, name) for name in EncoderOut.model_fields if name not in computed}
    return EncoderOut(**fields, **computed)


def training(session: Session, encoder_id: UUID) -> TrainingOut:
    row = _trained(session, encoder_id)
    assert row.training is not None
    known = {name: getattr(row, name) for name in ("method", "base", "params", "seed", "fingerprint", "versions")}
    return TrainingOut(encoder_id=row.id, **known, **row.training)


def report(session: Session, encoder_id: UUID) -> str:
    """The key of its training.html."""
    return f"{_trained(session, encoder_id).key}/{REPORT}"


def _trained(session: Session, encoder_id: UUID) -> Encoder:
    row = repository.get(session, encoder_id)
    if row.training is None:
        raise NotFound(f"The encoder {row.name} was not trained here.", code="training_not_found")
    return row


def remove(session: Session, encoder_id: UUID, request_id: str | None) -> None:
    """Take a fine-tuned encoder and all that it made away: rows now, files in a job; jobs that use it are cancelled."""
    row = repository.get(session, encoder_id, lock=True)
    if row.collection_id is None:
        raise Conflict(f"{row.name} came with Roost and stays; only fine-tuned encoders go.", code="encoder_builtin")
    sets = embeddings.of_encoder(session, row.id)
    runs = clusterings.of_encoder(session, row.id)
    users = {"encoder": {str(row.id)}, "clustering": {str(run.id) for run in runs}}
    for job in jobs.unfinished(session, row.collection_id):
        if any(job.params.get(name) in ids for name, ids in users.items()):
            ledger.request_cancel(session, job.id)
    blobs = [str(row.key), *(run.centres_key for run in runs)]
    blobs += [maps.home(collections_service.prefix(run.collection_id), run.id) for run in runs]
    blobs += [home(one) for one in sets for home in (embeddings_service.shards, embeddings_service.indexes)]
    session.execute(delete(Encoder).where(Encoder.id == row.id))
    ledger.submit(
        session,
        "sweep",
        collection_id=row.collection_id,
        params={"prefixes": blobs},
        lock=collections_service.lock(row.collection_id),
        request_id=request_id,
    )
