"""SIGKILL at every fail point: what was acknowledged is there and whole, every job ends, the service comes back."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.fixtures.lives import BACK_WITHIN_S, QUICK, Lives
from tests.fixtures.points import CHAIN, REACHED_BY, Work
from tests.fixtures.services import Service, environment

ROOT = Path(__file__).parents[1]
EVERY = {point for points in REACHED_BY.values() for point in points}
UP_TO = next(number for number, (kind, _) in enumerate(CHAIN) if kind == "archive")  # the rest takes too long


@pytest.fixture
def live(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Lives]]:
    """Starts a Roost in a setting, with a lease short enough for a test."""
    made: list[Lives] = []

    def make(setting: str) -> Lives:
        urls = {}
        if setting == "server":
            urls["ROOST_DATABASE_URL"] = request.getfixturevalue("new_postgres_url")()
            urls["ROOST_BROKER_URL"] = f"redis://127.0.0.1:{request.getfixturevalue('redis_port')}/7"
        data = tmp_path / "data"
        service = Service(data, environment(data, **QUICK, **urls), workers=int(setting == "server"))
        made.append(Lives(service, tmp_path / "armed"))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def test_every_point_is_listed_and_killed_by_a_test() -> None:
    sources = [path for folder in ("app", "workers") for path in (ROOT / folder).rglob("*.py")]
    used = [name for path in sources for name in re.findall(r'\breached\("([^"]+)"\)', path.read_text())]
    listed = re.findall(r"^\| `([a-z]+\.[a-z]+)`", (ROOT / "docs" / "fail-points.md").read_text(), re.MULTILINE)
    assert sorted(used) == sorted(listed) == sorted(EVERY), "each once"
    chained = {point.split("=")[0] for _, points in CHAIN for point in points}
    assert chained == EVERY - set(REACHED_BY["train"])


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "chain",
    [pytest.param(CHAIN[:UP_TO], id="files"), pytest.param(CHAIN[UP_TO:], id="the rest", marks=pytest.mark.slow)],
)
def test_killed_at_one_point_after_another(
    live: Callable[[str], Lives], chain: Sequence[tuple[str, tuple[str, ...]]]
) -> None:
    lives = live("embedded")
    work = Work(lives)
    for kind, points in chain:
        work.do(kind, *points)
    lives.check()
    assert max(lives.returns) < BACK_WITHIN_S, lives.returns


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("setting", ["embedded", "server"])
def test_killed_at_each_point(live: Callable[[str], Lives], setting: str) -> None:
    lives = live(setting)
    work = Work(lives)
    for point in sorted(EVERY):
        work.strike(point)
        lives.check()
    assert max(lives.returns) < BACK_WITHIN_S, lives.returns
