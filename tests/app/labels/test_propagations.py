"""Names spread by the job, and what the API then shows: labels, review queue, CSV, and a round that goes on."""

import csv
import io
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.db.tables import Image, Prediction, Propagation
from tests.app.calls import problem
from tests.app.labels.spreading import Written, write
from tests.fixtures.jobs import run_job
from workers.context import JobFailed, Stopped
from workers.jobs import propagate

SIZES = [40, 30, 20]
BIRDS = ["wren", "robin", "=crow"]


@pytest.fixture(scope="module")
def written(shared_api: TestClient) -> Written:
    return write(shared_api, SIZES, {})


def spread(written: Written, names: dict[UUID, str], **more: Any) -> str:
    params = {"clusters": {}, "from": None, "unknown_below": 0.5, "seed": 0} | more
    result = run_job(
        written.gallery.resources,
        "propagate",
        written.gallery.collection_id,
        clustering=str(written.clustering_id),
        names={str(image): label for image, label in names.items()},
        **params,
    )
    return str(result["propagation_id"])


def named(written: Written, each: int) -> dict[UUID, str]:
    return {image: bird for ids, bird in zip(written.images, BIRDS, strict=True) for image in ids[:each]}


@pytest.fixture(scope="module")
def propagation(written: Written) -> str:
    return spread(written, named(written, 8))


def pages(api: TestClient, path: str, **params: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    while True:
        page = api.get(path, params={"limit": 37, **params}).json()
        items += page["items"]
        if not (cursor := page["next_cursor"]):
            return items
        params["cursor"] = cursor


def test_every_image_gets_its_name(shared_api: TestClient, written: Written, propagation: str) -> None:
    found = {UUID(one["image_id"]): one for one in pages(shared_api, f"/v1/propagations/{propagation}/labels")}
    assert len(found) == sum(SIZES)
    for ids, bird in zip(written.images, BIRDS, strict=True):
        assert {found[image]["guess"] for image in ids} == {bird}
        assert [found[image]["given"] for image in ids] == [True] * 8 + [False] * (len(ids) - 8)
        assert all(found[image]["confidence"] == 1 and found[image]["worth"] == 0 for image in ids[:8])
    assert all(0.5 < one["confidence"] <= 1 for one in found.values())


def test_what_is_shown_of_it(shared_api: TestClient, written: Written, propagation: str) -> None:
    shown = shared_api.get(f"/v1/propagations/{propagation}").json()
    assert (shown["images"], shown["given"], shown["from"], shown["unknown_below"]) == (90, 24, None, 0.5)
    assert sum(one["images"] for one in shown["labels"]) + shown["unknown"] == 90
    assert {one["label"]: one["given"] for one in shown["labels"]} == dict.fromkeys(BIRDS, 8)
    assert shown["estimated"]["names"] == 24 and shown["estimated"]["accuracy"] == 1.0
    assert 0.8 < shown["estimated"]["low"] < shown["estimated"]["high"] == 1.0
    listed = shared_api.get(f"/v1/clusterings/{written.clustering_id}/propagations").json()["items"]
    assert shown in listed


def test_filters(shared_api: TestClient, propagation: str) -> None:
    path = f"/v1/propagations/{propagation}/labels"
    everything = pages(shared_api, path)
    for params, wanted in (
        ({"label": "robin"}, [one for one in everything if one["label"] == "robin"]),
        ({"unknown": True}, [one for one in everything if one["label"] is None]),
        ({"unknown": False}, [one for one in everything if one["label"] is not None]),
        ({"label": "robin", "unknown": True}, []),
    ):
        assert pages(shared_api, path, **params) == wanted


def test_review_begins_with_what_helps_most(shared_api: TestClient, propagation: str) -> None:
    queue = pages(shared_api, f"/v1/propagations/{propagation}/review")
    assert len(queue) == 90 - 24 and not any(one["given"] for one in queue)
    worth = [one["worth"] for one in queue]
    assert worth == sorted(worth, reverse=True) and worth[0] > worth[-1] >= 0


def test_labels_as_csv(shared_api: TestClient, propagation: str) -> None:
    answer = shared_api.get(f"/v1/propagations/{propagation}/labels.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 90 and {row["guess"] for row in rows} == {"wren", "robin", "'=crow"}
    assert sum(row["given"] == "true" for row in rows) == 24


def test_a_round_that_goes_on(shared_api: TestClient, written: Written, propagation: str) -> None:
    """The earlier names stay, a new one counts instead of an older one of the same image."""
    first, other = written.images[0][0], written.images[0][9]
    later = spread(written, {first: "nightjar", other: "nightjar"}, **{"from": propagation})
    shown = shared_api.get(f"/v1/propagations/{later}").json()
    assert shown["from"] == propagation
    assert {one["label"]: one["given"] for one in shown["labels"]} == {
        "wren": 7, "robin": 8, "=crow": 8, "nightjar": 2,
    }  # fmt: skip


def test_names_of_clusters_count_less_than_names_of_images(shared_api: TestClient, written: Written) -> None:
    by_cluster = spread(written, {written.images[2][0]: "owl"}, clusters={"0": "wren", "1": "robin"})
    shown = shared_api.get(f"/v1/propagations/{by_cluster}").json()
    assert shown["given"] == 1 and shown["clusters"] == {"0": "wren", "1": "robin"} and shown["estimated"] is None
    found = {UUID(one["image_id"]): one["guess"] for one in pages(shared_api, f"/v1/propagations/{by_cluster}/labels")}
    for ids, bird in zip(written.images, ["wren", "robin", "owl"], strict=True):
        assert {found[image] for image in ids} == {bird}


def test_an_unnamed_kind_is_unknown(shared_api: TestClient, written: Written) -> None:
    names = {image: bird for image, bird in named(written, 12).items() if bird != "=crow"}
    done = spread(written, names)
    unknown = pages(shared_api, f"/v1/propagations/{done}/labels", unknown=True)
    strangers = set(map(str, written.images[2]))
    assert len(strangers & {one["image_id"] for one in unknown}) >= 18
    assert len({one["image_id"] for one in unknown} - strangers) <= 6  # one in twenty of 46 is what is promised


def test_a_job_that_is_stopped_shows_nothing(shared_api: TestClient, monkeypatch: Any) -> None:
    written = write(shared_api, [4, 3], {})

    def stopped(*_: object) -> None:
        raise Stopped

    before = shared_api.get(f"/v1/clusterings/{written.clustering_id}/propagations").json()
    names = {written.images[0][0]: "wren", written.images[1][0]: "robin"}
    with monkeypatch.context() as patch:
        patch.setattr(propagate, "_metrics", stopped)
        with pytest.raises(Stopped):
            spread(written, names)
    assert shared_api.get(f"/v1/clusterings/{written.clustering_id}/propagations").json() == before
    with written.gallery.resources.database.reading() as session:
        (left,) = session.scalars(select(Propagation.id).where(Propagation.clustering_id == written.clustering_id))
    problem(shared_api.get(f"/v1/propagations/{left}"), 404, "propagation_not_found")


def test_names_of_images_that_are_gone(shared_api: TestClient) -> None:
    small = write(shared_api, [4, 3], {})
    names = {small.images[0][0]: "wren", small.images[1][0]: "robin"}
    with small.gallery.resources.database.transaction() as session:
        session.delete(session.get_one(Image, small.images[1][0]))
    with pytest.raises(JobFailed, match="two different names") as failure:
        spread(small, names)
    assert failure.value.code == "too_few_names"


def test_more_images_than_take_part(shared_api: TestClient, written: Written, monkeypatch: Any) -> None:
    monkeypatch.setattr(propagate, "SAMPLE", 40)
    done = spread(written, named(written, 8))
    with written.gallery.resources.database.reading() as session:
        rows = {
            row.image_id: row
            for row in session.scalars(select(Prediction).where(Prediction.propagation_id == UUID(done)))
        }
    for ids, bird in zip(written.images, BIRDS, strict=True):
        assert {rows[image].guess for image in ids} == {bird}
