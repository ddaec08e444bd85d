"""All metrics of one API process: what it measures itself, and what it reads from the database when it is asked.

Workers are not scraped. Whatever concerns jobs and pictures comes from their rows, so every API process shows the same.
"""

from collections.abc import Iterable
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Histogram, Info, generate_latest
from prometheus_client.metrics_core import Metric
from sqlalchemy.orm import Session

from app.metrics.images import ImageMetrics
from app.metrics.installation import installation
from app.metrics.jobs import JobMetrics
from app.metrics.kept import KEPT_S
from app.resources import Resources
from app.system.repository import Totals


class Meters:
    """`kept_s`: for how long sums over whole tables are shown again before they are made anew."""

    def __init__(self, kept_s: float = KEPT_S) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("roost_requests", "Requests.", ("operation", "status"), registry=self.registry)
        self.seconds = Histogram(
            "roost_request_seconds", "Time until an answer begins.", ("operation",), registry=self.registry
        )
        Info("roost_build", "What runs here.", registry=self.registry).info({"version": version("roost")})
        self.jobs = JobMetrics(kept_s)
        self.images = ImageMetrics(kept_s)

    def text(self, session: Session, res: Resources, totals: Totals) -> bytes:
        """All metrics in the exposition format."""
        found = [
            *self.jobs.families(session),
            *self.images.families(session),
            *installation(session, res, totals),
        ]
        return generate_latest(self.registry) + generate_latest(_Found(found))


class _Found:
    """Metrics that were read a moment ago, in the shape that prometheus_client writes out."""

    def __init__(self, found: list[Metric]) -> None:
        self.found = found

    def collect(self) -> Iterable[Metric]:
        return self.found
