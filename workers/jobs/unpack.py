"""The first stage of an archive's job: every member becomes a checked, stored image, or is refused by name."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from app.collections.service import prefix
from app.failpoints import reached
from app.images import service
from app.images.schemas import UploadItem
from app.images.staging import FileTooLarge, Staged, Stager, too_large
from workers.archives import ArchiveError, Member, MemberCorrupt
from workers.context import Context

BATCH = 32


class Stage(NamedTuple):
    """What the job says it does meanwhile, and how many there will be of what, if that is known."""

    name: str
    total: int | None
    unit: str


def unpack(context: Context, collection_id: UUID, entries: Iterator[Member], stage: Stage) -> str:
    """Store every picture of the archive. The key of a list with one line a file, from which the report is made.

    That list is stored when all is unpacked: a later attempt that finds it need not unpack again. An attempt
    repeated before that reads the archive from its start and finds its own images.
    """
    key = f"{prefix(collection_id)}/reports/{context.job.id}.unpacked"
    if context.storage.exists(key):
        return key
    path = context.folder / "unpacked"
    with path.open("w", encoding="utf-8") as report:
        try:
            for item in _items(context, collection_id, entries, stage):
                report.write(item.model_dump_json(exclude_none=True) + "\n")
        except ArchiveError as error:  # what came before stays; the job says in the end why it is not whole
            report.write(json.dumps({"archive_error": error.code, "detail": error.detail}) + "\n")
    context.storage.put([(path, key)])
    reached("unpack.listed")
    return key


def _items(context: Context, collection_id: UUID, entries: Iterator[Member], stage: Stage) -> Iterator[UploadItem]:
    done, error = 0, None
    while error is None:
        batch, error = _next_batch(context, entries)
        if not batch:
            break
        staged = [item for item in batch if isinstance(item, Staged)]
        checked = [service.check(item, context.job.id) for item in batch]
        good = [one for one in checked if isinstance(one, service.Checked)]
        done += len(batch)
        added = _keep(context, collection_id, good, stage, done)
        service.discard(staged)
        yield from service.merged(checked, added)
    if error:
        raise error


def _keep(
    context: Context, collection_id: UUID, good: list[service.Checked], stage: Stage, done: int
) -> list[UploadItem]:
    """Blobs, then rows. What an earlier attempt has kept is no advance."""
    with context.database.reading() as session:
        fresh = {file.image_id for file in service.store(session, context.storage, collection_id, good)}
    reached("unpack.stored")
    added: list[UploadItem] = []

    def advances() -> bool:
        return any(item.image_id in fresh for item in added)

    with context.step(stage.name, done, stage.total, stage.unit, advances) as session:
        added += service.add(session, context.storage, collection_id, good, context.job.id)
    reached("unpack.committed")
    return added


def _next_batch(context: Context, entries: Iterator[Member]) -> tuple[list[Staged | UploadItem], ArchiveError | None]:
    """The next members, each in scratch or refused; and the error that ended the archive, if one did."""
    batch: list[Staged | UploadItem] = []
    try:
        for member in islice(entries, BATCH):
            context.check()
            batch.append(_stage(context, member))
    except ArchiveError as error:
        return batch, error
    return batch, None


def _stage(context: Context, member: Member) -> Staged | UploadItem:
    limit = context.settings.max_file_bytes
    if member.refused:
        return UploadItem(name=member.name, status="rejected", code=member.refused[0], detail=member.refused[1])
    stager = Stager(context.folder, member.name, limit, member.number)
    try:
        for piece in member.pieces:
            stager.write(piece)
    except FileTooLarge:
        return too_large(member.name, limit)
    except MemberCorrupt as error:
        stager.drop()
        return UploadItem(name=member.name, status="rejected", code="image_corrupt", detail=str(error))
    return stager.finish()
