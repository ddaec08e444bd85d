"""Messages go out beside the request: a broker that takes the connection and never answers keeps nobody waiting."""

import socket
import threading
from pathlib import Path

from redis import Redis

from app.ids import new_id
from app.jobs.queue import Queue
from app.settings import Settings


def test_a_broker_that_never_answers_keeps_nobody_waiting(tmp_path: Path) -> None:
    answered, order = threading.Event(), []
    with socket.create_server(("127.0.0.1", 0)) as silent:

        def never_answer() -> None:
            connection, _ = silent.accept()
            answered.wait(5)
            order.append("the broker hangs up")
            connection.close()

        broker = threading.Thread(target=never_answer)
        broker.start()
        queue = Queue(Settings(data=tmp_path, broker_url=f"redis://127.0.0.1:{silent.getsockname()[1]}/0"))
        queue.publish(new_id(), "cpu")
        order.append("published")
        answered.set()
        broker.join()
    assert order == ["published", "the broker hangs up"]


def test_what_was_published_is_sent_before_the_process_ends(tmp_path: Path, redis_port: int) -> None:
    queue = Queue(Settings(data=tmp_path, broker_url=f"redis://127.0.0.1:{redis_port}/5"))
    for _ in range(20):
        queue.publish(new_id(), "cpu")
    queue.close()
    assert Redis(port=redis_port, db=5).llen("cpu") == 20
