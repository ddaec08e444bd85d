"""What is done with a message after the connection it came by has broken."""

from collections.abc import Iterator
from contextlib import closing
from uuid import uuid4

import pytest
from kombu import Connection, Message, Queue
from kombu.transport import redis

from workers.broker import Channel


@pytest.fixture
def connection(redis_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    monkeypatch.setattr(redis.Transport, "Channel", Channel)
    with closing(Connection(f"redis://127.0.0.1:{redis_port}/14")) as made:
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
def test_a_message_of_a_closed_connection_is_let_go(connection: Connection, end: str) -> None:
    message = _received(connection, Queue(uuid4().hex))
    connection.close()
    getattr(message, end)()
    assert message.acknowledged


@pytest.mark.parametrize(("end", "left"), [("ack", 0), ("reject", 0), ("requeue", 1)])
def test_a_message_of_an_open_connection_is_ended_as_ever(connection: Connection, end: str, left: int) -> None:
    queue = Queue(uuid4().hex)
    message = _received(connection, queue)
    getattr(message, end)()
    client = message.channel.client
    assert client.llen(queue.name) == left and not client.hexists("unacked", message.delivery_tag)
