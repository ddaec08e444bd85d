"""The way from a committed job to a worker: one small message that names the job. It may be lost; the ledger is not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from queue import Empty, Full
from queue import Queue as Waiting
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from app.settings import Settings

if TYPE_CHECKING:
    from celery import Celery

log = structlog.get_logger("roost.queue")
TASK = "roost.run"
QUEUES = ("cpu", "gpu")
MOST_WAITING = 1000  # messages; the ledger has the jobs
CLOSED_WITHIN_S = 2.0


def celery_app(settings: Settings) -> Celery:
    """The Celery application, the same for those who send and those who work.

    Imported here, as the process of a job seldom sends, and would spend a sixth of its start on it.
    """
    from celery import Celery

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
    """Sends messages, from a thread of its own: a broker that hangs keeps no upload waiting.

    A failure is logged and forgiven, and what waits behind it is dropped: the reconciler sends again.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._waiting: Waiting[tuple[UUID, str] | None] = Waiting(MOST_WAITING)
        self._sender = threading.Thread(target=self._send_all, name="queue", daemon=True)
        self._starting = threading.Lock()

    @cached_property
    def celery(self) -> Celery:
        return celery_app(self._settings)

    def publish(self, job_id: UUID, queue: str) -> None:
        with self._starting:
            if self._sender.ident is None:
                self._sender.start()
        try:
            self._waiting.put_nowait((job_id, queue))
        except Full:
            log.warning("too much waits for the broker; the reconciler will send it again", job_id=str(job_id))

    def close(self) -> None:
        """Send what waits, as far as the broker takes it at once."""
        if self._sender.is_alive():
            with suppress(Full):
                self._waiting.put_nowait(None)
            self._sender.join(CLOSED_WITHIN_S)

    def _send_all(self) -> None:
        while message := self._waiting.get():
            try:
                self.celery.send_task(TASK, [str(message[0])], queue=message[1], retry=False)
            except Exception as error:  # whatever the broker's client raises, the job is safe in the database
                log.warning("publishing failed; the reconciler will send it again", error=repr(error))
                if self._closed_while_dropped():
                    return

    def _closed_while_dropped(self) -> bool:
        """Drop what waits: each would fail in its turn."""
        with suppress(Empty):
            while self._waiting.get_nowait():
                pass
            return True
        return False

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        """kombu's, which has no types."""
        with self.celery.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=3)
            yield connection

    def reachable(self) -> bool:
        try:
            with self._connection():
                return True
        except Exception as error:  # readiness turns any of the broker's errors into "not ready"
            log.warning("broker not reachable", error=repr(error))
            return False

    def waiting(self, queue: str) -> int | None:
        """Messages that no worker has fetched yet; None where the broker does not tell."""
        from kombu.exceptions import ChannelError  # late, as Celery above

        try:
            with self._connection() as connection:
                return int(connection.default_channel.queue_declare(queue, passive=True).message_count)
        except ChannelError:  # nobody has used it yet
            return 0
        except Exception as error:  # whatever the broker's client raises, only messages that were lost wait longer
            log.warning("the broker does not tell what waits", error=repr(error))
            return None
