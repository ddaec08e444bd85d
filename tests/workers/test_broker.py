"""What is done with a message after the connection it came by has broken."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from kombu import Connection, Message, Queue
from kombu.transport import redis
from redis import Redis

from app.resources import Resources
from app.settings import Settings
from workers.celery_app import _application
from workers.runner import Runner


@pytest.fixture
def connection(redis_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    """As a worker makes it."""
    monkeypatch.setattr(redis.Transport, "Channel", redis.Channel)  # and as it was, afterwards
    settings = Settings(data=tmp_path, broker_url=f"redis://127.0.0.1:{redis_port}/14")
    resources = Resources.open(settings)
    with closing(resources), closing(_application(resources, Runner(resources, "test")).connection_for_read()) as made:
        yield made


def _received(connection: Connection, queue: Queue) -> Message:
    found: list[Message] = []
    with connection.Producer() as producer:
        producer.publish("hint", routing_key=queue.name, declare=[queue])
    consumer = connection.Consumer(queue, callbacks=[lambda _, message: found.append(message)])
    consumer.consume()
    connection.drain_events(timeout=5)
    return found[0]


@pytest.mark.parametrize("end", ["ack", "reject", "requeue"])
def test_a_message_of_a_closed_connection_is_let_go(connection: Connection, redis_port: int, end: str) -> None:
    """Nothing more is asked of Redis, which may be away: it is neither handed back nor acknowledged there."""
    message = _received(connection, queue := Queue(uuid4().hex))
    connection.close()
    getattr(message, end)()
    assert message.acknowledged
    with Redis(port=redis_port, db=14) as client:
        assert client.llen(queue.name) == 0 and client.hexists("unacked", message.delivery_tag)


@pytest.mark.parametrize(("end", "left"), [("ack", 0), ("reject", 0), ("requeue", 1)])
def test_a_message_of_an_open_connection_is_ended_as_ever(connection: Connection, end: str, left: int) -> None:
    queue = Queue(uuid4().hex)
    message = _received(connection, queue)
    getattr(message, end)()
    client = message.channel.client
    assert client.llen(queue.name) == left and not client.hexists("unacked", message.delivery_tag)
