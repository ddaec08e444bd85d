"""Fixtures live in tests/fixtures, one topic a file."""

pytest_plugins = [
    "tests.fixtures.servers",
    "tests.fixtures.services",
    "tests.fixtures.pictures",
    "tests.fixtures.encoders",
    "tests.fixtures.browser",
]
