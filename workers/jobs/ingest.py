"""Decode what waits: each new image gets its working copy, size, time and camera, or a code that says why not.

An archive is unpacked first, and its report written last; `bring` does so for whatever gives members as one does.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from app.collections.service import prefix
from app.db.tables import Image
from app.failpoints import reached
from app.images import repository, service
from models.guard import Guard, Outcome, Task
from workers.archives import Member, members
from workers.context import Context, JobFailed
from workers.jobs.join import sent
from workers.jobs.unpack import Stage, unpack

COUNTED_AS = {"ready": "created", "created": "created", "duplicate": "duplicates"}
UNPACK = Stage("unpack", None, "files")
BATCH = 64  # images a transaction: what a crash can cost
BROUGHT = 16  # originals fetched together


def run(context: Context) -> None:
    collection_id = context.job.collection_id
    assert collection_id is not None
    params = context.job.params
    if "archive" in params:
        archive = context.storage.local(params["archive"])
        return bring(context, collection_id, members(archive, params["kind"], context.settings), UNPACK)
    if "upload" in params:
        return bring(context, collection_id, sent(context, UUID(params["upload"])), UNPACK)
    decode_pending(context, collection_id)
    with context.succeed(_counts(context)):
        return


def bring(context: Context, collection_id: UUID, entries: Iterator[Member], stage: Stage) -> None:
    """The whole of a job whose files come one by one: store and decode them, report on each, end the job."""
    unpacked = unpack(context, collection_id, entries, stage)
    decode_pending(context, collection_id)
    _finish_archive(context, collection_id, unpacked)


def decode_pending(context: Context, collection_id: UUID) -> None:
    """Decode every pending image of the collection in guarded processes; publish them batch by batch."""
    while True:
        try:
            return _decode(context, collection_id)
        except FileNotFoundError:  # deleted between being listed and being read; the next round no longer lists it
            context.check()


def _decode(context: Context, collection_id: UUID) -> None:
    with context.database.reading() as session:
        total = repository.count(session, collection_id, "pending")
    if not total:
        return
    settings = context.settings
    done = 0
    with Guard(memory_mb=settings.decode_memory_mb, seconds=settings.decode_seconds) as guard:
        outcomes = guard.map(_tasks(context, collection_id))
        while batch := list(islice(outcomes, BATCH)):
            done += len(batch)
            _publish(context, collection_id, batch, done, max(total, done))


def _publish(context: Context, collection_id: UUID, batch: list[Outcome], done: int, total: int) -> None:
    """Working copies first, then what is known of the images. One that was deleted meanwhile leaves nothing behind."""
    copies = list(_copies(collection_id, batch))
    context.storage.put(copies)
    reached("ingest.stored")
    with context.step("ingest", done, total, "images") as session:
        alive = repository.names(session, [_id(outcome) for outcome in batch])
        if known := [_values(outcome) for outcome in batch if _id(outcome) in alive]:
            session.execute(update(Image), known)
    reached("ingest.committed")
    for _, key in copies:
        if UUID(Path(key).stem) not in alive:
            context.storage.delete(key)


def _tasks(context: Context, collection_id: UUID) -> Iterator[Task]:
    """A task for each pending image, page by page; the target's name carries the image's id."""
    last: UUID | None = None
    while True:
        with context.database.reading() as session:
            images = repository.pending(session, collection_id, last, 256)
        if not images:
            return
        for start in range(0, len(images), BROUGHT):
            part = [(i, service.original_key(collection_id, i.id, i.sha256)) for i in images[start : start + BROUGHT]]
            context.storage.bring(key for _, key in part)
            for image, key in part:
                source = context.storage.local(key)
                if source.exists():
                    yield Task(source=source, target=context.folder / f"{image.id}.jpg", name=image.name)
                else:
                    _missing(context, image.id)
        last = images[-1].id


def _missing(context: Context, image_id: UUID) -> None:
    """The original is gone: with its row when somebody deleted the image, without it when the disk lost it."""
    lost = {
        "status": "rejected",
        "error_code": "file_missing",
        "error_detail": "The file is gone; delete the image, then upload it again.",
    }
    with context.database.transaction() as session:
        session.execute(update(Image).where(Image.id == image_id).values(**lost))


def _id(outcome: Outcome) -> UUID:
    assert outcome.task.target is not None
    return UUID(outcome.task.target.stem)


def _copies(collection_id: UUID, batch: Iterable[Outcome]) -> Iterator[tuple[Path, str]]:
    for outcome in batch:
        if not outcome.code and outcome.task.target:
            yield outcome.task.target, service.working_key(collection_id, _id(outcome))


def _values(outcome: Outcome) -> dict[str, Any]:
    if outcome.code:
        return {"id": _id(outcome), "status": "rejected", "error_code": outcome.code, "error_detail": outcome.detail}
    return {
        "id": _id(outcome),
        "status": "ready",
        "width": outcome.width,
        "height": outcome.height,
        "taken_at": outcome.taken_at,
        "camera": outcome.camera,
        "exif": outcome.shot,
    }


def _counts(context: Context) -> dict[str, int]:
    """How the images that this job brought have ended."""
    counts = {"created": 0, "duplicates": 0, "rejected": 0}
    with context.database.reading() as session:
        for image in repository.of_job(session, context.job.id):
            counts["rejected" if image.status == "rejected" else "created"] += 1
    return counts


def _finish_archive(context: Context, collection_id: UUID, unpacked: str) -> None:
    """The report, one line a file with how it ended; then the job's end."""
    counts = {"created": 0, "duplicates": 0, "rejected": 0}
    broken: dict[str, str] | None = None
    path = context.folder / "report.ndjson"
    with context.storage.local(unpacked).open(encoding="utf-8") as lines, path.open("w", encoding="utf-8") as report:
        while batch := [json.loads(line) for line in islice(lines, 500)]:
            if "archive_error" in batch[-1]:
                broken = batch.pop()
            for line in _resolved(context, batch):
                kind = COUNTED_AS.get(line["status"], "rejected")
                counts[kind] += 1
                report.write(json.dumps(line, ensure_ascii=False) + "\n")
    key = f"{prefix(collection_id)}/reports/{context.job.id}.ndjson"
    context.storage.put([(path, key)])
    reached("report.stored")
    if broken:
        context.keep_report(key)
        context.storage.delete(unpacked)  # here, since nothing follows a failure
        kept = f"{counts['created']} images before that were kept, and the report lists them."
        raise JobFailed(broken["archive_error"], f"{broken['detail']} {kept}")
    with context.succeed(counts, report_key=key):
        pass
    context.storage.delete(unpacked)


def _resolved(context: Context, lines: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The lines with what decoding found: `created` becomes `ready` or `rejected` with its code."""
    ids = [UUID(line["image_id"]) for line in lines if line["status"] == "created"]
    with context.database.reading() as session:
        images = {image.id: image for image in session.scalars(select(Image).where(Image.id.in_(ids)))}
    for line in lines:
        image = images.get(UUID(line["image_id"])) if line["status"] == "created" else None
        if image and image.status == "rejected":
            yield {**line, "status": "rejected", "code": image.error_code, "detail": image.error_detail}
        elif image:
            yield {**line, "status": image.status}
        else:
            yield line
