"""The first stage of a training: which pictures, and their working copies where nobody deletes them."""

import json
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from app.collections.service import lock
from app.db.tables import Image
from app.images import repository as images
from app.images.service import working_key
from app.jobs import repository as jobs
from models.ssl.finetune import Picture
from workers.context import Context

BROUGHT = 64  # working copies fetched together
PATIENCE_S = 20.0  # that images may stay pending while nobody works on them


def pictures(context: Context, collection_id: UUID, kept: str) -> list[Picture]:
    """The collection's images as the first attempt found them, so that a later one goes on with the same.

    Their working copies are linked into the job's folder: an image deleted meanwhile is still there to the end.
    """
    listed = _listed(context, collection_id, f"{kept}/images.json")
    labels = _labels(context)
    folder = context.folder / "pictures"
    folder.mkdir()
    found = []
    for start in range(0, len(listed), BROUGHT):
        part = [(working_key(collection_id, UUID(one[0])), *one) for one in listed[start : start + BROUGHT]]
        context.progress("collect", start, len(listed), "images")
        context.storage.bring(key for key, *_ in part)
        for key, image_id, sha256, name in part:
            path = folder / f"{image_id}.jpg"
            if _linked(context.storage.local(key), path):
                found.append(Picture(path, sha256, labels.get(image_id, labels.get(name))))
    return found


def _listed(context: Context, collection_id: UUID, key: str) -> list[list[str]]:
    """[id, SHA-256, name] of each ready image, in order of id."""
    if not context.storage.exists(key):
        _await_images(context, collection_id)
        query = select(Image.id, Image.sha256, Image.name).order_by(Image.id)
        with context.database.reading() as session:
            rows = session.execute(query.where(Image.collection_id == collection_id, Image.status == "ready")).all()
        path = context.folder / "images.json"
        path.write_text(json.dumps([[str(row.id), row.sha256, row.name] for row in rows]), encoding="ascii")
        context.storage.put([(path, key)])
    listed: list[list[str]] = json.loads(context.storage.local(key).read_bytes())
    return listed


def _await_images(context: Context, collection_id: UUID) -> None:
    """Images uploaded just before are being decoded by another job of the collection; training waits for that."""
    idle_since = time.monotonic()
    while time.monotonic() - idle_since < PATIENCE_S:
        with context.database.reading() as session:
            pending = images.count(session, collection_id, "pending")
            ready = images.count(session, collection_id, "ready")
            running = [job for job in jobs.unfinished(session, collection_id) if job.state == "running"]
        if not pending:
            return
        if any(job.lock == lock(collection_id) for job in running):
            idle_since = time.monotonic()
        context.progress("wait", ready, ready + pending, "images")
        context.stop.wait(0.5)


def _linked(source: Path, target: Path) -> bool:
    try:
        try:
            os.link(source, target)
        except FileNotFoundError:
            raise
        except OSError:  # on another disk
            shutil.copyfile(source, target)
    except FileNotFoundError:
        return False
    return True


def _labels(context: Context) -> Mapping[str, str]:
    key = context.job.input_key
    labels: dict[str, str] = json.loads(context.storage.local(key).read_bytes()) if key else {}
    return labels
