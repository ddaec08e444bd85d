"""The way from a committed job to a worker: one small message that names the job. It may be lost; the ledger is not."""

from uuid import UUID

import structlog
from celery import Celery

from app.settings import Settings

log = structlog.get_logger("roost.queue")
TASK = "roost.run"
QUEUES = ("cpu", "gpu")


def celery_app(settings: Settings) -> Celery:
    """The Celery application, the same for those who send and those who work."""
    app = Celery("roost", broker=settings.broker_url)
    app.conf.update(
        task_acks_late=True,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        task_default_queue="cpu",
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_concurrency=settings.concurrency,
        broker_connection_retry_on_startup=True,
        broker_transport_options=_transport(settings.broker_url),
        visibility_timeout=86_400,
    )
    return app


def _transport(broker_url: str) -> dict[str, float]:
    """Longer than any job, or Redis would deliver a running one again; short waits, or its loss would hang uploads."""
    if not broker_url.startswith("redis"):
        return {"polling_interval": 0.05}  # kombu's own second would be most of a short job's time
    return {
        "visibility_timeout": 86_400,
        "socket_timeout": 10,
        "socket_connect_timeout": 3,
        "health_check_interval": 10,
    }


class Queue:
    """Sends messages. A failure is logged and forgiven: the reconciler sends again."""

    def __init__(self, settings: Settings) -> None:
        self.celery = celery_app(settings)

    def publish(self, job_id: UUID, queue: str) -> None:
        try:
            self.celery.send_task(TASK, [str(job_id)], queue=queue, retry=False)
        except Exception as error:  # whatever the broker's client raises, the job is safe in the database
            log.warning("publishing failed; the reconciler will send it again", job_id=str(job_id), error=repr(error))

    def reachable(self) -> bool:
        try:
            with self.celery.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, timeout=3)
        except Exception as error:  # readiness turns any of the broker's errors into "not ready"
            log.warning("broker not reachable", error=repr(error))
            return False
        return True
