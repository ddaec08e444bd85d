"""Prometheus metrics of this process and of the ledger."""

from collections.abc import Iterable, Mapping
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.tables import Image, Job
from app.images.schemas import Status
from app.jobs.schemas import State


class Meters:
    """One application's own metrics."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("roost_requests", "Requests.", ("operation", "status"), registry=self.registry)
        self.seconds = Histogram(
            "roost_request_seconds", "Time until an answer begins.", ("operation",), registry=self.registry
        )
        self.jobs = Gauge("roost_jobs", "Jobs in the ledger.", ("state",), registry=self.registry)
        self.images = Gauge("roost_images", "Images.", ("status",), registry=self.registry)

    def text(self, session: Session) -> bytes:
        """All metrics in the exposition format, with jobs and images counted anew."""
        jobs = session.execute(select(Job.state, func.count()).group_by(Job.state))
        images = session.execute(select(Image.status, func.count()).group_by(Image.status))
        _show(self.jobs, get_args(State), {state: count for state, count in jobs})
        _show(self.images, get_args(Status), {status: count for status, count in images})
        return generate_latest(self.registry)


def _show(gauge: Gauge, kinds: Iterable[str], counts: Mapping[str, int]) -> None:
    """Every kind gets its number, or a state that no job is in any more would keep its last one."""
    for kind in kinds:
        gauge.labels(kind).set(counts.get(kind, 0))
