"""Fixtures live in tests/fixtures, one topic a file."""

import pytest

from tests.fixtures.services import SETTING

pytest_plugins = [
    "tests.fixtures.servers",
    "tests.fixtures.services",
    "tests.fixtures.pictures",
    "tests.fixtures.encoders",
    "tests.fixtures.browser",
    "tests.fixtures.full_disk",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With real servers everywhere, what is about the embedded setting has nothing to look at."""
    if SETTING == "embedded":
        return
    for item in items:
        if item.get_closest_marker("embedded"):
            item.add_marker(pytest.mark.skip(reason="about the embedded setting"))
