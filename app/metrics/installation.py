"""Metrics of what Roost runs on: its storage and its workers."""

from collections.abc import Iterator

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from sqlalchemy.orm import Session

from app.metrics import workers
from app.resources import Resources
from app.system import service
from app.system.repository import Totals


def installation(session: Session, res: Resources, totals: Totals) -> Iterator[Metric]:
    """Only what is known: an object store has no free space to tell of."""
    storage = service.shown(session, res, totals).storage
    sizes = {
        "roost_storage_used_bytes": ("Size of all originals.", storage.bytes),
        "roost_storage_free_bytes": ("Left on the disk of the storage.", storage.free),
        "roost_storage_size_bytes": ("Size of the disk of the storage.", storage.total),
    }
    for name, (text, value) in sizes.items():
        if value is not None:
            yield GaugeMetricFamily(name, text, value=value)
    family = GaugeMetricFamily("roost_workers", "Live workers of queues that jobs go to.", labels=["queue"])
    for queue, count in workers.alive(session, res.settings).items():
        if queue in workers.needed(res.settings):
            family.add_metric([queue], count)
    yield family
