"""Metrics of the ledger: what waits, what runs, how jobs have ended and how long they took."""

from collections.abc import Iterator, Sequence
from typing import Any, get_args

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from sqlalchemy import ColumnElement, Double, case, cast, extract, func, select
from sqlalchemy.orm import Session

from app.db.session import now
from app.db.tables import Job, JobStage
from app.errors import OUTAGES
from app.jobs.ledger import FINAL
from app.jobs.schemas import State
from app.jobs.waiting import in_line
from app.metrics.kept import Kept

BUCKETS = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000)  # seconds: a small upload up to a long training
KILLS = {"out_of_memory": "memory", "job_crashed": "crash", "job_stalled": "hang"}


class JobMetrics:
    """Jobs that are not over are few and counted at every scrape; those that are over are kept."""

    def __init__(self, kept_s: float) -> None:
        self._over: Kept[Sequence[Any]] = Kept(kept_s)
        self._left: Kept[Sequence[Any]] = Kept(kept_s)

    def families(self, session: Session) -> Iterator[Metric]:
        over = self._over.get(lambda: _over(session))
        waiting = _waiting(session)
        running = _running(session)
        yield _by_state(over, waiting, running)
        yield from _queues(session, waiting)
        yield _postponed(waiting)
        yield from _stages(session, running)
        yield from _ended(over)
        yield _stage_seconds(self._left.get(lambda: _left(session)))


def _waiting(session: Session) -> Sequence[Any]:
    """(queue, kind, jobs, since when the oldest waits whose turn it is, the code of an outage that it waits for)."""
    outage = case((Job.not_before.is_not(None), Job.error_code)).label("outage")
    line = in_line()
    oldest = func.min(case((line.c.place == 1, Job.created_at)))
    found = select(Job.queue, Job.kind, func.count(), oldest, outage).join(line, line.c.id == Job.id)
    return session.execute(found.where(Job.state == "queued").group_by(Job.queue, Job.kind, outage)).all()


def _running(session: Session) -> Sequence[Any]:
    """(queue, kind, stage, jobs, the earliest start of this stage)."""
    stage = func.coalesce(Job.stage, "start").label("stage")
    columns = Job.queue, Job.kind, stage, func.count(), func.min(func.coalesce(Job.stage_started_at, Job.started_at))
    return session.execute(select(*columns).where(Job.state == "running").group_by(Job.queue, Job.kind, stage)).all()


def _over(session: Session) -> Sequence[Any]:
    """(kind, state, code, jobs, jobs that ran, their seconds, jobs in each bucket)."""
    seconds = _seconds(session)
    ran = Job.started_at.is_not(None)
    buckets = [func.sum(case((ran & (seconds <= most), 1), else_=0)) for most in BUCKETS]
    total = func.coalesce(func.sum(case((ran, seconds), else_=0.0)), 0.0)
    columns = Job.kind, Job.state, Job.error_code, func.count(), func.count(Job.started_at), total, *buckets
    over = select(*columns).where(Job.state.in_(FINAL)).group_by(Job.kind, Job.state, Job.error_code)
    return session.execute(over).all()


def _left(session: Session) -> Sequence[Any]:
    """(kind, stage, how often a job left it, their seconds)."""
    columns = Job.kind, JobStage.stage, func.sum(JobStage.times), func.sum(JobStage.seconds)
    joined = select(*columns).join_from(JobStage, Job).group_by(Job.kind, JobStage.stage)
    return session.execute(joined.order_by(Job.kind, JobStage.stage)).all()


def _seconds(session: Session) -> ColumnElement[float]:
    """How long the last attempt took."""
    if session.get_bind().dialect.name == "sqlite":
        return (func.julianday(Job.finished_at) - func.julianday(Job.started_at)) * 86_400.0
    return cast(extract("epoch", Job.finished_at - Job.started_at), Double)


def _by_state(over: Sequence[Any], waiting: Sequence[Any], running: Sequence[Any]) -> Metric:
    counts = dict.fromkeys(get_args(State), 0)
    counts["queued"] = sum(row[2] for row in waiting)
    counts["running"] = sum(row[3] for row in running)
    for row in over:
        counts[row[1]] += row[3]
    family = GaugeMetricFamily("roost_jobs", "Jobs in the ledger.", labels=["state"])
    for state, count in counts.items():
        family.add_metric([state], count)
    return family


def _queues(session: Session, waiting: Sequence[Any]) -> Iterator[Metric]:
    labels = ["queue", "kind"]
    depth = GaugeMetricFamily("roost_queue_jobs", "Jobs that wait for a worker.", labels=labels)
    age = GaugeMetricFamily(
        "roost_queue_oldest_seconds", "For how long the oldest job waits whose turn it is.", labels=labels
    )
    moment = now(session)
    for queue, kind, count, since, outage in waiting:
        if outage:
            continue
        depth.add_metric([queue, kind], count)
        age.add_metric([queue, kind], max(0.0, (moment - since).total_seconds()) if since else 0.0)
    yield from (depth, age)


def _postponed(waiting: Sequence[Any]) -> Metric:
    family = GaugeMetricFamily("roost_jobs_postponed", "Jobs that wait for an outage to end.", labels=["code"])
    for code in sorted(OUTAGES):
        family.add_metric([code], sum(row[2] for row in waiting if row[4] == code))
    return family


def _stages(session: Session, running: Sequence[Any]) -> Iterator[Metric]:
    labels = ["queue", "kind", "stage"]
    count = GaugeMetricFamily("roost_jobs_running", "Jobs that run, by their present stage.", labels=labels)
    age = GaugeMetricFamily("roost_job_stage_seconds", "For how long a job has been in its stage.", labels=labels)
    moment = now(session)
    for queue, kind, stage, jobs, since in running:
        count.add_metric([queue, kind, stage], jobs)
        age.add_metric([queue, kind, stage], max(0.0, (moment - since).total_seconds()))
    yield from (count, age)


def _stage_seconds(left: Sequence[Any]) -> Metric:
    family = SummaryMetricFamily("roost_stage_seconds", "How long jobs were in a stage.", labels=["kind", "stage"])
    for kind, stage, times, seconds in left:
        family.add_metric([kind, stage], count_value=times, sum_value=seconds)
    return family


def _ended(over: Sequence[Any]) -> Iterator[Metric]:
    ended = CounterMetricFamily("roost_jobs_ended", "Jobs that are over.", labels=["kind", "state", "code"])
    kills = dict.fromkeys(KILLS.values(), 0)
    for kind, state, code, count, *_ in over:
        ended.add_metric([kind, state, code or ""], count)
        if code in KILLS:
            kills[KILLS[code]] += count
    killed = CounterMetricFamily("roost_job_kills", "Jobs given up as their process died.", labels=["reason"])
    for reason, count in kills.items():
        killed.add_metric([reason], count)
    yield from (ended, killed, _durations(over))


def _durations(over: Sequence[Any]) -> Metric:
    family = HistogramMetricFamily("roost_job_seconds", "How long jobs ran, their last attempt.", labels=["kind"])
    for kind in sorted({row[0] for row in over}):
        rows = [row for row in over if row[0] == kind]
        within = [str(float(most)) for most in BUCKETS]
        counts = [float(sum(row[6 + n] for row in rows)) for n in range(len(BUCKETS))]
        buckets = [*zip(within, counts, strict=True), ("+Inf", float(sum(row[4] for row in rows)))]
        family.add_metric([kind], buckets, float(sum(row[5] for row in rows)))
    return family
