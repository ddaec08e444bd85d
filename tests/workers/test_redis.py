"""A worker outlives its Redis."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.lives import QUICK, Lives
from tests.fixtures.pictures import jpeg
from tests.fixtures.servers import free_port, start_redis
from tests.fixtures.services import Service, environment
from tests.fixtures.watching import wait_for


@pytest.mark.slow
def test_a_redis_that_restarts_while_a_job_runs_ends_no_worker(
    tmp_path: Path, new_postgres_url: Callable[[], str]
) -> None:
    """The message of that job can't be handed back, nor acknowledged, on the connection that broke.

    With a single slot, one that such a job kept would leave none for the next.
    """
    redis = start_redis(tmp_path, port := free_port())
    urls = {"ROOST_DATABASE_URL": new_postgres_url(), "ROOST_BROKER_URL": f"redis://127.0.0.1:{port}/0"}
    data = tmp_path / "data"
    lives = Lives(
        Service(data, environment(data, ROOST_CONCURRENCY="1", **QUICK, **urls), workers=1), tmp_path / "armed"
    )
    try:
        collection_id = lives.collection()
        lives.arm("child.begun=sleep:3")
        files = [("files", ("a.jpg", jpeg("red", 1)))]
        job_id = lives.ask("POST", f"/v1/collections/{collection_id}/images", files=files).json()["job_id"]
        wait_for(lambda: not lives.left())
        redis.kill()
        redis.wait()
        redis = start_redis(tmp_path, port)
        assert lives.end(job_id)["attempt"] == 1
        lives.send_files(collection_id, {"b.jpg": jpeg("red", 2)})
        assert not lives.ends, "no process ended"
    finally:
        lives.stop()
        redis.kill()
        redis.wait()
