"""Events: images that one camera took in quick succession."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.collections import repository as collections_repository
from app.errors import Invalid
from app.events import repository
from app.events.repository import Frame
from app.events.schemas import EventOut, FrameOut
from app.pagination import Page, Paging, cursor_after, sort_key
from models.clustering import events

IMAGES = 50  # of an event that a page shows


class Run:
    """An event as it is read: however long it is, only its first images are kept."""

    def __init__(self, first: Frame) -> None:
        self.first = self.last = first
        self.size = 1
        self.shown = [first]

    def takes(self, frame: Frame, gap: timedelta) -> bool:
        """Add an image if it belongs to the event."""
        if not (self.last.taken_at and frame.taken_at and self.last.placed and frame.placed):
            return False
        if (frame.camera, frame.folder) != (self.last.camera, self.last.folder):
            return False
        if frame.taken_at - self.last.taken_at > gap:
            return False
        self.last, self.size = frame, self.size + 1
        if len(self.shown) < IMAGES:
            self.shown.append(frame)
        return True


def listed(session: Session, collection_id: UUID, gap_s: float, at_least: int, paging: Paging) -> Page[EventOut]:
    """Events of `at_least` images, camera by camera as they were taken; then the images without camera or time.

    A cursor names the first image of the next event, and the last one before it should that be deleted.
    """
    collections_repository.get(session, collection_id)
    start, inclusive = _start(session, collection_id, paging)
    found: list[Run] = []
    for run in _runs(repository.frames(session, collection_id, start, inclusive), timedelta(seconds=gap_s)):
        if at_least > 1 and not run.first.placed:
            break
        if run.size < at_least:
            continue
        if len(found) == paging.limit:
            cursor = cursor_after(paging, [run.first.image_id, found[-1].last.image_id])
            return Page(items=[_shown(one) for one in found], next_cursor=cursor)
        found.append(run)
    return Page(items=[_shown(one) for one in found], next_cursor=None)


def units(session: Session, ids: Sequence[UUID], gap_s: float) -> NDArray[np.int32]:
    """N images -> (N,) the event of each, 0 to U - 1, as `models.clustering.events.units` numbers them."""
    frames = repository.of_images(session, ids)
    times = np.full(len(ids), np.nan)
    cameras: list[tuple[str, str] | None] = []
    for row, frame in enumerate(map(frames.get, ids)):
        if frame and frame.taken_at:
            times[row] = frame.taken_at.timestamp()
        cameras.append((frame.camera, frame.folder) if frame and frame.camera is not None else None)
    return events.units(times, cameras, gap_s)


def _runs(frames: Iterable[Frame], gap: timedelta) -> Iterator[Run]:
    run: Run | None = None
    for frame in frames:
        if run is None or not run.takes(frame, gap):
            if run:
                yield run
            run = Run(frame)
    if run:
        yield run


def _start(session: Session, collection_id: UUID, paging: Paging) -> tuple[Frame | None, bool]:
    """Where the page begins, and whether with that image or after it."""
    key = sort_key(paging, UUID, UUID)
    if key is None:
        return None, True
    for image_id, inclusive in zip(key, (True, False), strict=True):
        if frame := repository.frame(session, collection_id, image_id):
            return frame, inclusive
    raise Invalid("cursor: the images it names were deleted; begin again with the first page.", code="cursor_invalid")


def _shown(run: Run) -> EventOut:
    return EventOut(
        id=run.first.image_id,
        camera=run.first.camera,
        folder=run.first.folder,
        started_at=run.first.taken_at,
        ended_at=run.last.taken_at,
        size=run.size,
        images=[FrameOut(image_id=one.image_id, name=one.name, taken_at=one.taken_at) for one in run.shown],
    )
