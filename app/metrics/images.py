"""Metrics of the pictures: how many there are in each state, were decoded, were embedded, and were given up."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args
from uuid import UUID

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.db.tables import EmbeddingShard, Image
from app.images.schemas import Status
from app.metrics.kept import Growth, Kept

# What models/guard.py, models/guard_child.py and models/images/normalise.py say of a picture at a limit
STOPPED = {
    "time": "Decoding took longer than %",
    "memory": "The % needs too much memory. %",
    "crash": "Decoding crashed (%",
}


@dataclass(frozen=True)
class _Counts:
    status: Sequence[Any]  # (collection, status, images)
    stopped: Sequence[Any]  # (collection, reason, images)
    embedded: Sequence[Any]  # (embedding set, images)


class ImageMetrics:
    """Sums over all images, so all of them are kept for a while."""

    def __init__(self, kept_s: float) -> None:
        self._counts: Kept[_Counts] = Kept(kept_s)
        self._decoded: Growth[UUID] = Growth()
        self._embedded: Growth[UUID] = Growth()
        self._stopped: dict[str, Growth[UUID]] = {reason: Growth() for reason in STOPPED}

    def families(self, session: Session) -> Iterator[Metric]:
        counts = self._counts.get(lambda: _count(session))
        yield _by_status(counts)
        decoded: dict[UUID, int] = {}
        for collection_id, status, images in counts.status:
            decoded[collection_id] = decoded.get(collection_id, 0) + (images if status != "pending" else 0)
        embedded = {set_id: int(images) for set_id, images in counts.embedded}
        yield _counter("roost_images_decoded", "Images decoded, or rejected by decoding.", self._decoded.see(decoded))
        yield _counter("roost_images_embedded", "Images embedded.", self._embedded.see(embedded))
        yield self._kills(counts)

    def _kills(self, counts: _Counts) -> Metric:
        family = CounterMetricFamily("roost_decode_kills", "Images at a limit of decoding.", labels=["reason"])
        for reason, growth in self._stopped.items():
            seen = {collection_id: images for collection_id, why, images in counts.stopped if why == reason}
            family.add_metric([reason], growth.see(seen))
        return family


def _count(session: Session) -> _Counts:
    why = case(*((Image.error_detail.like(text), reason) for reason, text in STOPPED.items()))
    status = select(Image.collection_id, Image.status, func.count()).group_by(Image.collection_id, Image.status)
    stopped = (
        select(Image.collection_id, why.label("why"), func.count())
        .where(Image.status == "rejected", why.is_not(None))
        .group_by(Image.collection_id, "why")
    )
    embedded = select(EmbeddingShard.set_id, func.sum(EmbeddingShard.rows)).group_by(EmbeddingShard.set_id)
    return _Counts(*(session.execute(query).all() for query in (status, stopped, embedded)))


def _by_status(counts: _Counts) -> Metric:
    sums = dict.fromkeys(get_args(Status), 0)
    for _, status, images in counts.status:
        sums[status] += images
    family = GaugeMetricFamily("roost_images", "Images.", labels=["status"])
    for status, images in sums.items():
        family.add_metric([status], images)
    return family


def _counter(name: str, text: str, value: int) -> Metric:
    return CounterMetricFamily(name, text, value=value)
