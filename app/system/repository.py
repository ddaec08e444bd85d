"""Queries on the whole installation."""

import threading
import time

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.tables import Image, Worker

KEPT_S = 10.0


class Totals:
    """Number and bytes of all originals. A sum over a million rows takes a while, so it is kept for some seconds."""

    def __init__(self, kept_s: float = KEPT_S) -> None:
        self.kept_s = kept_s
        self._counting = threading.Lock()
        self._known: tuple[int, int] | None = None
        self._counted_at = 0.0

    def get(self, session: Session) -> tuple[int, int]:
        """Images and bytes. Who comes while another counts waits for that."""
        with self._counting:
            if self._known is None or time.monotonic() - self._counted_at >= self.kept_s:
                sums = select(func.count(), func.coalesce(func.sum(Image.bytes), 0)).select_from(Image)
                images, size = session.execute(sums).one()
                self._known, self._counted_at = (images, int(size)), time.monotonic()
            return self._known


def workers(session: Session) -> list[Worker]:
    return list(session.scalars(select(Worker).order_by(Worker.name)))
