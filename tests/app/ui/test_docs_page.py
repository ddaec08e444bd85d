"""The API's own page works offline, as everything else does."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


def test_every_operation_is_listed_without_asking_anybody_else(page: "Page") -> None:
    page.goto("/docs")
    playwright.expect(page.locator("#operations-collections-createCollection")).to_be_visible(timeout=20_000)
