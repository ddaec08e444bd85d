"""How often a key may call. Counted in Redis where Roost has one, so that all its processes count together.

While Redis does not answer each process counts for itself: a request never fails or waits because of a count.
"""

import math
import re
import time
from dataclasses import dataclass

import structlog
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.caller import CALLER
from app.problems import problem
from app.settings import Settings

log = structlog.get_logger("roost.rates")
WINDOW_S = 60
LOG_IN = ("POST", "/v1/session")
LOG_INS_A_MINUTE = 10  # from one address
REDIS_ANSWERS_WITHIN_S = 0.25
REDIS_LEFT_ALONE_S = 10.0  # after it did not answer
# Pictures never change: a browser asks for each once, but a person who scrolls for hundreds of them.
FREE = re.compile(r"/v1/images/[^/]+/(thumbnail|file)")


@dataclass(frozen=True)
class Counted:
    """By what a request counts: `limit` a minute for `who`."""

    policy: str
    limit: int
    who: str


@dataclass(frozen=True)
class Standing:
    """`count` requests in the present window, which ends in `reset_s` seconds."""

    of: Counted
    count: int
    reset_s: int

    @property
    def exceeded(self) -> bool:
        return self.count > self.of.limit

    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers-10 names them; Retry-After once nothing remains."""
        named = {
            "RateLimit-Policy": f'"{self.of.policy}";q={self.of.limit};w={WINDOW_S}',
            "RateLimit": f'"{self.of.policy}";r={max(0, self.of.limit - self.count)};t={self.reset_s}',
        }
        return named | ({"Retry-After": str(self.reset_s)} if self.exceeded else {})


class Counts:
    """Counts in windows of a minute that begin with the first request."""

    def __init__(self, broker_url: str, left_alone_s: float = REDIS_LEFT_ALONE_S) -> None:
        """`left_alone_s`: how long Redis is not asked after it did not answer."""
        self._memory = MemoryStorage()
        self._redis: RedisStorage | None = None
        self._away, self._ask_again_at, self._left_alone_s = False, 0.0, left_alone_s
        if broker_url.startswith(("redis://", "rediss://")):
            self._redis = RedisStorage(
                broker_url,
                key_prefix="roost-rates",
                socket_timeout=REDIS_ANSWERS_WITHIN_S,
                socket_connect_timeout=REDIS_ANSWERS_WITHIN_S,
                retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]  # handed on to redis.from_url
            )

    @property
    def slow(self) -> bool:
        """Whether counting may wait for the network."""
        return self._redis is not None and not (self._away and time.monotonic() < self._ask_again_at)

    def hit(self, one: Counted) -> Standing:
        if self._redis and self.slow:
            self._ask_again_at = time.monotonic() + self._left_alone_s  # while it is away one asks, and no other waits
            try:
                standing = _hit(self._redis, one)
                self._away = False
                return standing
            except RedisError as error:
                self._away = True
                log.warning("Redis does not count; counting here", seconds=self._left_alone_s, error=repr(error))
        return _hit(self._memory, one)


class Rates:
    """The limits of one application."""

    def __init__(self, settings: Settings) -> None:
        self.per_minute = settings.rate_per_minute
        self.counts = Counts(settings.broker_url)

    def counted(self, scope: Scope) -> Counted | None:
        """Keys by their requests to the API, log-ins by address; None for what costs nothing and who has no key."""
        method, path, caller = scope["method"], scope["path"], CALLER.get()
        if (method, path) == LOG_IN:
            return Counted("log-in", LOG_INS_A_MINUTE, scope["client"][0] if scope.get("client") else "unknown")
        if not caller or not caller.key_id or not self.per_minute or not path.startswith("/v1/"):
            return None
        free = method in ("GET", "HEAD") and FREE.fullmatch(path)
        return None if free else Counted("key", self.per_minute, str(caller.key_id))

    async def hit(self, one: Counted) -> Standing:
        if self.counts.slow:
            return await run_in_threadpool(self.counts.hit, one)
        return self.counts.hit(one)


class RateLimit:
    """Plain ASGI, inside of whoever finds out who calls. Without a key there is nothing to count by."""

    def __init__(self, app: ASGIApp, rates: Rates) -> None:
        self.app, self.rates = app, rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        one = self.rates.counted(scope) if scope["type"] == "http" else None
        if one is None:
            await self.app(scope, receive, send)
            return
        standing = await self.rates.hit(one)
        if standing.exceeded:
            detail = f"More than {one.limit} requests in a minute; wait {standing.reset_s} seconds."
            await problem(429, "rate_limited", detail, standing.headers())(scope, receive, send)
            return
        await self.app(scope, receive, _telling(send, standing))


def _telling(send: Send, standing: Standing) -> Send:
    async def tell(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(standing.headers())
        await send(message)

    return tell


def _hit(storage: MemoryStorage | RedisStorage, one: Counted) -> Standing:
    key = RateLimitItemPerMinute(one.limit).key_for(one.policy, one.who)
    count = storage.incr(key, WINDOW_S)
    return Standing(one, count, max(1, math.ceil(storage.get_expiry(key) - time.time())))
