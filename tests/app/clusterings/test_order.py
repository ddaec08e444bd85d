"""Clusters by number, size or cohesion, page by page."""

from typing import Any
from uuid import UUID

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from app.db.tables import Cluster
from app.resources import Resources
from tests.app.calls import problem
from tests.fixtures.clusterings import Gallery, blobs

SIZES = [7, 9, 0, 9, 4, 9, 7]  # as corrections leave them: no longer by number, and one cluster gone
COHESION = [0.5, 0.1 + 0.2, 0.9, 0.3, 0.8, 0.8, 0.30000000000000004]  # two that differ in the last bit only


@pytest.fixture
def path(shared_api: TestClient) -> str:
    """Of the clusters of a clustering with these sizes and this cohesion."""
    resources: Resources = shared_api.app.state.resources  # type: ignore[attr-defined]
    gallery = Gallery.make(resources)
    gallery.add(blobs(7, 2)[0])
    clustering_id = gallery.cluster(np.repeat(np.arange(7), 2))
    rows = [
        {"clustering_id": clustering_id, "number": n, "size": size, "cohesion": tight}
        for n, (size, tight) in enumerate(zip(SIZES, COHESION, strict=True))
    ]
    with resources.database.transaction() as session:
        session.execute(update(Cluster), rows)
    return f"/v1/clusterings/{clustering_id}/clusters"


def listed(api: TestClient, path: str, **params: Any) -> list[int]:
    """The numbers of all pages."""
    found: list[int] = []
    for _ in range(20):
        page = api.get(path, params=params)
        assert page.status_code == 200, page.text
        found += [item["id"] for item in page.json()["items"]]
        if not (cursor := page.json()["next_cursor"]):
            return found
        params["cursor"] = cursor
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("limit", [1, 2, 3, 500])
@pytest.mark.parametrize(
    ("order", "numbers"),
    [
        (None, [0, 1, 3, 4, 5, 6]),
        ("number", [0, 1, 3, 4, 5, 6]),
        ("size", [1, 3, 5, 0, 6, 4]),
        ("cohesion", [4, 5, 0, 1, 6, 3]),
    ],
)
def test_every_order_comes_whole(
    shared_api: TestClient, path: str, order: str | None, numbers: list[int], limit: int
) -> None:
    assert listed(shared_api, path, limit=limit, **({"order": order} if order else {})) == numbers


def test_a_cursor_of_another_order_is_refused(shared_api: TestClient, path: str) -> None:
    orders = ("number", "size", "cohesion")
    cursors = {o: shared_api.get(path, params={"order": o, "limit": 1}).json()["next_cursor"] for o in orders}
    assert shared_api.get(path, params={"cursor": cursors["number"]}).status_code == 200, "the default is by number"
    for made in orders:
        for asked in set(orders) - {made}:
            answer = shared_api.get(path, params={"order": asked, "cursor": cursors[made]})
            problem(answer, 422, "cursor_invalid")


@pytest.mark.parametrize("order", ["", "Size", "label", "-size"])
def test_what_is_no_order(shared_api: TestClient, path: str, order: str) -> None:
    problem(shared_api.get(path, params={"order": order}), 422, "invalid")


def test_a_clustering_that_is_not_there_has_no_order(shared_api: TestClient) -> None:
    nowhere = f"/v1/clusterings/{UUID(int=0)}/clusters"
    problem(shared_api.get(nowhere, params={"order": "size"}), 404, "clustering_not_found")
