"""How pictures come in, are kept, and go."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access import quotas
from app.collections import repository as collections_repository
from app.collections import service as collections_service
from app.db.session import now
from app.db.tables import Collection, Image
from app.ids import member_id, new_id
from app.images import repository
from app.images.decoder import Decoder
from app.images.schemas import ImageError, ImageOut, UploadItem
from app.images.staging import Staged
from app.storage import Storage
from app.storage.missing import missing
from models.images import Header, ImageRejected, check_header, halved


@dataclass(frozen=True)
class Checked:
    """A staged file that looks like a picture, with the id and blob it will have."""

    staged: Staged
    header: Header
    image_id: UUID


def original_key(collection_id: UUID, image_id: UUID, sha256: str) -> str:
    """By content and by image: two images never share a blob, so deleting one can't race with adding the other."""
    return f"{collections_service.prefix(collection_id)}/originals/{sha256[:2]}/{sha256}.{image_id}"


def working_key(collection_id: UUID, image_id: UUID) -> str:
    return f"{collections_service.prefix(collection_id)}/working/{image_id.hex[-2:]}/{image_id}.jpg"


def large_key(collection_id: UUID, image_id: UUID) -> str:
    return f"{collections_service.prefix(collection_id)}/large/{image_id.hex[-2:]}/{image_id}.jpg"


def check(file: Staged | UploadItem, job_id: UUID | None = None) -> Checked | UploadItem:
    """Look at a file's first bytes; what is no picture we read is refused here, by name and code.

    Members of the archive of `job_id` get ids that a repeated attempt gives again.
    """
    if isinstance(file, UploadItem):
        return file
    image_id = new_id() if job_id is None or file.member is None else member_id(job_id, file.member)
    try:
        return Checked(file, check_header(file.path, file.name), image_id)
    except ImageRejected as error:
        return UploadItem(name=file.name, status="rejected", code=error.code, detail=error.detail)


def merged(checked: Iterable[Checked | UploadItem], added: Iterable[UploadItem]) -> list[UploadItem]:
    """What became of each file, in the order of `checked`; `added` has the answers for the good ones."""
    answers = iter(added)
    return [next(answers) if isinstance(one, Checked) else one for one in checked]


def keys(collection_id: UUID, files: Iterable[Checked]) -> list[str]:
    """Where `store` puts these files."""
    return [_blob(collection_id, file)[1] for file in files]


def store(session: Session, storage: Storage, collection_id: UUID, files: Sequence[Checked]) -> list[Checked]:
    """Blobs first: when the rows are committed, their bytes are safe. Those that the collection did not have yet."""
    known = repository.by_sha256(session, collection_id, {f.staged.sha256 for f in files})
    fresh = [file for file in files if file.staged.sha256 not in known]
    storage.put(_blob(collection_id, file) for file in fresh)
    return fresh


def _blob(collection_id: UUID, file: Checked) -> tuple[Path, str]:
    return file.staged.path, original_key(collection_id, file.image_id, file.staged.sha256)


def add(
    session: Session, storage: Storage, collection_id: UUID, files: Sequence[Checked], job_id: UUID
) -> list[UploadItem]:
    """Rows for stored files, in the caller's transaction. A file the collection has already is a duplicate.

    What is over the owner's quota is rejected, file by file; smaller ones that follow may still fit.

    A job that repeats its upload after a crash finds its own images and counts them as created, once.
    """
    collection = collections_repository.get(session, collection_id, lock=True)  # or it might be deleted meanwhile
    known = repository.by_sha256(session, collection_id, {f.staged.sha256 for f in files})
    new = {file.staged.sha256: file.staged.size for file in files if file.staged.sha256 not in known}
    over = new.keys() - quotas.reserve(session, collection.owner_id, new)
    items = []
    for file in files:
        path, key = _blob(collection_id, file)
        if file.staged.sha256 in over:
            storage.delete(key)
            items.append(_over_quota(session, collection, file))
            continue
        twin = known.get(file.staged.sha256) or _insert(session, collection, file, job_id, known)
        if twin.id != file.image_id:
            storage.delete(key)
        elif not storage.exists(key):  # left out by `store`, and its twin deleted since
            storage.put([(path, key)])
        status = "created" if twin.id == file.image_id else "duplicate"
        items.append(UploadItem.model_validate({"name": file.staged.name, "status": status, "image_id": twin.id}))
    return items


def _over_quota(session: Session, collection: Collection, file: Checked) -> UploadItem:
    detail = quotas.sentence(session, collection.owner_id)
    return UploadItem(name=file.staged.name, status="rejected", code="quota_exceeded", detail=detail)


def _insert(session: Session, collection: Collection, file: Checked, job_id: UUID, known: dict[str, Image]) -> Image:
    """Insert one row; if another upload was quicker with the same content, that one is the image."""
    staged, header = file.staged, file.header
    image = Image(
        id=file.image_id,
        collection_id=collection.id,
        name=staged.name,
        sha256=staged.sha256,
        bytes=staged.size,
        format=header.format,
        width=header.width,
        height=header.height,
        job_id=job_id,
        created_at=now(session),
    )
    try:
        with session.begin_nested():
            session.add(image)
    except IntegrityError:
        image = repository.by_sha256(session, collection.id, [staged.sha256])[staged.sha256]
        quotas.give_back(session, collection.owner_id, staged.size, 1)
    known[staged.sha256] = image
    return image


def remove(session: Session, image_id: UUID) -> list[str]:
    """Take the row away; the keys of the blobs to delete once that is committed."""
    image = repository.get(session, image_id)
    # The collection first, or its own deletion might count an image that goes at the same time a second time.
    owner_id = collections_repository.get(session, image.collection_id, lock=True).owner_id
    if session.scalar(delete(Image).where(Image.id == image_id).returning(Image.id)) is None:
        raise repository.gone(image_id)
    quotas.give_back(session, owner_id, image.bytes, 1)
    keys = original_key(image.collection_id, image.id, image.sha256), working_key(image.collection_id, image.id)
    return [*keys, large_key(image.collection_id, image.id)]


def small_copy(storage: Storage, image: Image) -> bytes:
    """The 128-px copy: half the working copy, made anew each time, since that is as quick as to read it."""
    key = working_key(image.collection_id, image.id)
    try:
        with storage.reader(key) as reader:
            return halved(reader.read())
    except FileNotFoundError as error:
        raise missing(key) from error


def large_copy(storage: Storage, decoder: Decoder, image: Image) -> str:
    """The key of the 1024-px copy, made when it is first asked for."""
    key = large_key(image.collection_id, image.id)
    if not storage.exists(key):
        original = original_key(image.collection_id, image.id, image.sha256)
        try:
            decoder.keep(storage, key, storage.local(original), image.name, 1024)
        except FileNotFoundError as error:
            raise missing(original) from error
    return key


def discard(files: Sequence[Staged]) -> None:
    """Remove what is left in scratch of files that were refused or are stored."""
    for staged in files:
        staged.path.unlink(missing_ok=True)


def shown(image: Image) -> ImageOut:
    error = ImageError(code=image.error_code, detail=image.error_detail or "") if image.error_code else None
    fields = {name: getattr(image, name) for name in ImageOut.model_fields if name != "error"}
    return ImageOut(**fields, error=error)
