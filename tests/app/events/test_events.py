"""Events over the API, on both databases."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from app.db.tables import Image
from app.events import service
from app.ids import new_id
from tests.app.calls import NOWHERE, new_collection, problem

START = datetime(2026, 4, 30, 5, 12, 44, 250_000, tzinfo=UTC)


def add(client: TestClient, collection_id: str, frames: list[tuple[str, str | None, float | None]]) -> list[UUID]:
    """Ready images (name, camera, seconds after START); their ids."""
    ids = [new_id() for _ in frames]
    with client.app.state.resources.database.transaction() as session:  # type: ignore[attr-defined]
        session.add_all(
            Image(
                id=image_id,
                collection_id=UUID(collection_id),
                name=name,
                sha256=image_id.hex * 2,
                bytes=1,
                format="jpeg",
                status="ready",
                camera=camera,
                taken_at=None if seconds is None else START + timedelta(seconds=seconds),
                created_at=START,
            )
            for image_id, (name, camera, seconds) in zip(ids, frames, strict=True)
        )
    return ids


def listed(client: TestClient, collection_id: str, **params: Any) -> list[dict[str, Any]]:
    """Every event, page by page."""
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        query = params | ({"cursor": cursor} if cursor else {})
        answer = client.get(f"/v1/collections/{collection_id}/events", params=query)
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        if not (cursor := answer.json()["next_cursor"]):
            return items


FRAMES = [
    ("b/1.jpg", "TRAP", 100.0),
    ("a/2.jpg", "TRAP", 60.0),
    ("a/1.jpg", "TRAP", 0.0),
    ("a/3.jpg", "TRAP", 120.5),
    ("a/4.jpg", "TRAP", 110.0),
    ("loose.jpg", "TRAP", 110.0),
    ("a/5.jpg", "OTHER", 110.0),
    ("a/6.jpg", None, 110.0),
    ("a/7.jpg", None, 111.0),
    ("a/8.jpg", "TRAP", None),
]


@pytest.mark.parametrize("limit", [1, 2, 500])
def test_events_are_cut_by_camera_folder_and_time(shared_api: TestClient, limit: int) -> None:
    collection_id = new_collection(shared_api)
    ids = add(shared_api, collection_id, FRAMES)
    found = listed(shared_api, collection_id, gap_s=60, limit=limit)
    names = [[image["name"] for image in event["images"]] for event in found]
    assert names == [
        ["a/5.jpg"],
        ["loose.jpg"],
        ["a/1.jpg", "a/2.jpg", "a/4.jpg", "a/3.jpg"],
        ["b/1.jpg"],
        ["a/6.jpg"],
        ["a/7.jpg"],
        ["a/8.jpg"],
    ]
    burst = found[2]
    assert burst["id"] == str(ids[2]) == burst["images"][0]["image_id"]
    assert (burst["camera"], burst["folder"], burst["size"]) == ("TRAP", "a/", 4)
    assert datetime.fromisoformat(burst["started_at"]) == START
    assert datetime.fromisoformat(burst["ended_at"]) == START + timedelta(seconds=120.5)
    assert (found[4]["camera"], found[6]["started_at"]) == (None, None)
    apart = listed(shared_api, collection_id, gap_s=59.9, limit=limit)
    assert [event["size"] for event in apart] == [1, 1, 1, 3, 1, 1, 1, 1]
    bursts = listed(shared_api, collection_id, gap_s=59.9, limit=limit, at_least=2)
    assert [event["size"] for event in bursts] == [3]


def test_as_clustering_cuts_them(shared_api: TestClient) -> None:
    collection_id = new_collection(shared_api)
    ids = add(shared_api, collection_id, FRAMES)
    with shared_api.app.state.resources.database.reading() as session:  # type: ignore[attr-defined]
        units = service.units(session, ids, 60)
    together: dict[int, set[str]] = {}
    for unit, (name, _, _) in zip(units.tolist(), FRAMES, strict=True):
        together.setdefault(unit, set()).add(name)
    events = [{image["name"] for image in event["images"]} for event in listed(shared_api, collection_id)]
    assert sorted(map(sorted, together.values())) == sorted(map(sorted, events))


def test_a_long_event_shows_its_first_images_only(shared_api: TestClient) -> None:
    collection_id = new_collection(shared_api)
    add(shared_api, collection_id, [(f"{n:03}.jpg", "TRAP", float(n)) for n in range(120)])
    (event,) = listed(shared_api, collection_id, gap_s=1)
    assert event["size"] == 120 and [image["name"] for image in event["images"]] == [f"{n:03}.jpg" for n in range(50)]


def test_paging_goes_on_when_the_next_image_was_deleted(shared_api: TestClient) -> None:
    collection_id = new_collection(shared_api)
    ids = add(shared_api, collection_id, [(f"{n}.jpg", "TRAP", 100.0 * n) for n in range(4)])
    path = f"/v1/collections/{collection_id}/events"
    cursor = shared_api.get(path, params={"limit": 1}).json()["next_cursor"]
    assert shared_api.delete(f"/v1/images/{ids[1]}").status_code == 204
    rest = listed(shared_api, collection_id, cursor=cursor)
    assert [event["images"][0]["name"] for event in rest] == ["2.jpg", "3.jpg"]
    assert shared_api.delete(f"/v1/images/{ids[0]}").status_code == 204
    problem(shared_api.get(path, params={"cursor": cursor}), 422, "cursor_invalid")


def test_what_is_refused(shared_api: TestClient) -> None:
    collection_id = new_collection(shared_api)
    assert listed(shared_api, collection_id) == []
    path = f"/v1/collections/{collection_id}/events"
    problem(shared_api.get(path, params={"gap_s": -1}), 422, "invalid")
    problem(shared_api.get(path, params={"gap_s": "nan"}), 422, "invalid")
    problem(shared_api.get(path, params={"cursor": "abc"}), 422, "cursor_invalid")
    problem(shared_api.get(f"/v1/collections/{NOWHERE}/events"), 404, "collection_not_found")
