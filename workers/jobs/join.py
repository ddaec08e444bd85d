"""The pieces of a resumable upload become the file that was sent, and its members come as those of any archive do."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from app.db.tables import Upload, UploadPiece
from app.errors import full_disk_named
from app.storage import Storage
from app.uploads import repository
from workers.archives import Member, members
from workers.context import Context, JobFailed

BLOCK = 2**20
MB = 10**6  # the ledger counts in numbers of 32 bits


def sent(context: Context, upload_id: UUID) -> Iterator[Member]:
    """What an upload brings: the files of an archive, or the one file. Nothing is joined before it is asked for."""
    with context.database.reading() as session:
        upload = session.get_one(Upload, upload_id)
    whole = joined(context, upload)
    if upload.kind == "file":
        yield Member(0, upload.name, _blocks(whole))
    else:
        yield from members(whole, upload.kind, context.settings)


def joined(context: Context, upload: Upload) -> Path:
    """The whole file in the attempt's folder. JobFailed: upload_damaged, upload_hash_mismatch. Raises StorageFull."""
    with context.database.reading() as session:
        pieces = repository.pieces(session, upload.id)
    whole, path = hashlib.sha256(), context.folder / "joined"
    done = 0
    with full_disk_named(), path.open("wb") as file:
        for piece in pieces:
            if piece.start != done:
                raise _damaged(done)
            for block in _checked(context.storage, piece):
                whole.update(block)
                file.write(block)
            done += piece.size
            context.progress("join", done // MB, max(1, upload.size // MB), "MB")
    if done != upload.size:
        raise _damaged(done)
    if upload.sha256 not in (None, whole.hexdigest()):
        detail = f"The file's SHA-256 is {whole.hexdigest()}, and the upload said {upload.sha256}. Send it again."
        raise JobFailed("upload_hash_mismatch", detail)
    return path


def _checked(storage: Storage, piece: UploadPiece) -> Iterator[bytes]:
    """A piece's bytes, which must be those that were acknowledged."""
    digest = hashlib.sha256()
    try:
        with storage.reader(piece.key) as reader:
            while block := reader.read(BLOCK):
                digest.update(block)
                yield block
    except (FileNotFoundError, EOFError) as error:
        raise _damaged(piece.start) from error
    if digest.hexdigest() != piece.sha256:
        raise _damaged(piece.start)


def _damaged(start: int) -> JobFailed:
    detail = f"The storage has lost or changed what was uploaded from byte {start} on. Send the file again."
    return JobFailed("upload_damaged", detail)


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block
