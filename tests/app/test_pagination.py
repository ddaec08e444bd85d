"""Pages: every item once, whatever is added meanwhile; and no cursor but our own."""

import base64
import json
from itertools import count

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.app.calls import new_collection, problem, upload
from tests.app.conftest import Sorted
from tests.fixtures.pictures import jpeg


def test_every_item_comes_once_while_rows_are_added(either_api: TestClient) -> None:
    made = [new_collection(either_api, f"c{n}") for n in range(7)]
    seen, cursor = [], None
    for _ in range(10):
        params = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = either_api.get("/v1/collections", params=params).json()
        seen += [item["id"] for item in page["items"]]
        new_collection(either_api, "later")
        if not (cursor := page["next_cursor"]):
            break
    assert seen == made[::-1], "newest first; what was added meanwhile is before the first page"


def test_images_come_in_the_order_they_came(either_api: TestClient) -> None:
    collection_id = new_collection(either_api)
    names = [f"{n}.jpg" for n in range(5)]
    upload(either_api, collection_id, [(name, jpeg("red", n, (16, 16))) for n, name in enumerate(names)])
    seen, cursor = [], None
    for n in count(5):
        page = either_api.get(
            f"/v1/collections/{collection_id}/images", params={"limit": 2} | ({"cursor": cursor} if cursor else {})
        ).json()
        seen += [item["name"] for item in page["items"]]
        if not (cursor := page["next_cursor"]):
            break
        if n < 7:
            upload(either_api, collection_id, [(f"{n}.jpg", jpeg("red", n, (16, 16)))])
    assert seen == [*names, "5.jpg", "6.jpg"]


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x", "1e2", ""])
def test_limits(shared_api: TestClient, limit: str) -> None:
    problem(shared_api.get("/v1/collections", params={"limit": limit}), 422, "invalid")
    assert shared_api.get("/v1/collections", params={"limit": 500}).status_code == 200


def test_the_last_full_page_has_no_cursor(api: TestClient) -> None:
    for n in range(2):
        new_collection(api, f"c{n}")
    assert api.get("/v1/collections", params={"limit": 2}).json()["next_cursor"] is None


def test_another_lists_cursor_is_refused(either_api: TestClient) -> None:
    for n in range(2):
        new_collection(either_api, f"c{n}")
    foreign = either_api.get("/v1/collections", params={"limit": 1}).json()["next_cursor"]
    for path in ("/v1/jobs", "/v1/encoders", f"/v1/collections/{new_collection(either_api)}/images"):
        problem(either_api.get(path, params={"cursor": foreign}), 422, "cursor_invalid")


CURSORS = st.text(max_size=60) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3),
).map(lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode())


@given(cursor=CURSORS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_garbled_cursor_gets_through(api: TestClient, cursor: str) -> None:
    answer = api.get("/v1/collections", params={"cursor": cursor})
    if cursor and len(cursor) <= 500:
        problem(answer, 422, "cursor_invalid")


def test_no_garbled_sort_key_gets_through(sorted_gallery: Sorted) -> None:
    """A cursor of the right list whose values no column holds: lists sorted by numbers and by distances."""
    clusters = f"/v1/clusterings/{sorted_gallery.clustering['id']}/clusters"
    images = f"{clusters}/0/images"
    for path in (clusters, images):
        cursor = sorted_gallery.client.get(path, params={"limit": 1}).json()["next_cursor"]
        mark, *key = json.loads(base64.urlsafe_b64decode(cursor + "==="))
        for value in (10**30, -(2**63), float("nan"), float("inf"), "1", None, [1], True, {}):
            garbled = base64.urlsafe_b64encode(json.dumps([mark, value, *key[1:]]).encode()).decode()
            problem(sorted_gallery.client.get(path, params={"cursor": garbled}), 422, "cursor_invalid")
    everything = [item["image_id"] for item in sorted_gallery.service.pages(images)]
    by_one, cursor = [], ""
    while cursor is not None:
        params = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        page = sorted_gallery.client.get(images, params=params).json()
        by_one += [item["image_id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert by_one == everything and len(set(by_one)) == len(by_one)
