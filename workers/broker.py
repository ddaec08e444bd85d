"""Redis as Celery sees it, for messages that are hints: what a broken connection took along is not missed.

kombu would hand back, or acknowledge, what came over that very connection: a second hint for each, and where Redis is
away an acknowledgement that fails or waits for its timeout. Nobody needs it: the ledger has the job, and announces it
again.
"""

from kombu.transport import redis


class Channel(redis.Channel):
    do_restore = False

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        if not self.closed:
            super().basic_ack(delivery_tag, multiple)  # type: ignore[no-untyped-call]

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        if not self.closed:
            super().basic_reject(delivery_tag, requeue)  # type: ignore[no-untyped-call]


def outlive_broken_connections() -> None:
    """For every connection to Redis that this process makes from now on."""
    redis.Transport.Channel = Channel
