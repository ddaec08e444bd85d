"""Where an image is in each clustering, and what people said of that."""

from typing import Any
from uuid import UUID

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, update

from app.db.tables import Assignment
from tests.app.calls import NOWHERE, problem
from tests.app.corrections.editing import Editor
from tests.fixtures.clusterings import Gallery, blobs


@pytest.fixture
def gallery(shared_api: TestClient) -> Gallery:
    made = Gallery.make(shared_api.app.state.resources)  # type: ignore[attr-defined]
    made.add(blobs(3, 6)[0])
    return made


def places(api: TestClient, image: object, **params: Any) -> list[dict[str, Any]]:
    answer = api.get(f"/v1/images/{image}/places", params=params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def in_three(gallery: Gallery) -> UUID:
    return gallery.cluster(np.repeat([0, 1, 2], 6))


def test_an_image_that_was_never_clustered_is_nowhere(shared_api: TestClient, gallery: Gallery) -> None:
    assert places(shared_api, gallery.images[0]) == []


def test_every_clustering_that_knows_the_image_newest_first(shared_api: TestClient, gallery: Gallery) -> None:
    older = in_three(gallery)
    (late,) = gallery.add(blobs(1, 1)[0])
    newer = gallery.cluster(np.repeat([0, 1], [9, 10]))
    found = places(shared_api, gallery.images[0])
    assert [one["clustering_id"] for one in found] == [str(newer), str(older)]
    assert [one["clustering_id"] for one in places(shared_api, late)] == [str(newer)]
    members = shared_api.get(f"/v1/clusterings/{newer}/clusters/{found[0]['cluster']}/images").json()["items"]
    (own,) = [one for one in members if one["image_id"] == str(gallery.images[0])]
    assert found[0] == {
        "clustering_id": str(newer), "cluster": 1, "label": None, "distance": own["distance"], "pinned": False,
        "excluded": [], "outlier": False, "outlier_score": None,
    }  # fmt: skip


def test_pages(shared_api: TestClient, gallery: Gallery) -> None:
    made = [str(in_three(gallery)) for _ in range(3)]
    path = f"/v1/images/{gallery.images[0]}/places"
    first = shared_api.get(path, params={"limit": 2}).json()
    second = shared_api.get(path, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [one["clustering_id"] for one in first["items"] + second["items"]] == made[::-1]
    assert second["next_cursor"] is None
    other = f"/v1/images/{gallery.images[1]}/places"
    problem(shared_api.get(other, params={"cursor": first["next_cursor"]}), 422, "cursor_invalid")


def test_what_the_run_left_out(shared_api: TestClient, gallery: Gallery) -> None:
    clustering_id = gallery.cluster(np.array([-1, *[0] * 8, *[1] * 9]))
    odd = update(Assignment).where(Assignment.clustering_id == clustering_id, Assignment.number.is_(None))
    with gallery.resources.database.transaction() as session:
        session.execute(odd.values(outlier_score=1.25))
    (found,) = places(shared_api, gallery.images[0])
    assert (found["cluster"], found["label"], found["outlier"], found["outlier_score"]) == (None, None, True, 1.25)
    assert places(shared_api, gallery.images[1])[0]["outlier"] is False


def test_what_people_said(shared_api: TestClient, gallery: Gallery) -> None:
    untouched, clustering_id = in_three(gallery), in_three(gallery)
    editor = Editor(shared_api, gallery, clustering_id)
    (image,) = editor.images(0)
    home = places(shared_api, image)[0]["cluster"]

    def now() -> tuple[Any, ...]:
        corrected, old = places(shared_api, image)
        assert old["clustering_id"] == str(untouched) and not (old["pinned"] or old["excluded"] or old["label"])
        return tuple(corrected[name] for name in ("cluster", "label", "pinned", "excluded"))

    editor.edit("rename", cluster=home, label="wren")
    assert now() == (home, "wren", False, [])
    editor.edit("pin", images=[image])
    assert now() == (home, "wren", True, [])
    editor.edit("unpin", images=[image])
    assert now() == (home, "wren", False, [])
    editor.edit("exclude", images=[image], cluster=home)
    away, *rest = now()
    assert away != home and rest == [None, False, [home]]
    editor.edit("move", images=[image], cluster=None)
    assert now() == (None, None, True, [home])
    editor.undo()
    assert now() == (away, None, False, [home])
    last = ({0, 1, 2} - {home, away}).pop()
    editor.edit("merge", clusters=[last, home])
    assert now() == (away, None, False, [last]), "not in the one that its former cluster became"
    assert not places(shared_api, gallery.images[1])[0]["excluded"], "said of one image, not of its neighbours"


def test_as_many_queries_for_many_places_as_for_two(
    shared_api: TestClient, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    # whether there are keys is asked once a second, whatever is counted meanwhile
    monkeypatch.setattr(shared_api.app.state.gate, "open_for_s", float("inf"))  # type: ignore[attr-defined]

    def note(*arguments: Any) -> None:
        statements.append(arguments[2])

    image, counted = gallery.images[0], []
    event.listen(gallery.resources.database.engine, "before_cursor_execute", note)
    try:
        for number in range(1, 5):
            editor = Editor(shared_api, gallery, in_three(gallery))
            editor.edit("exclude", images=[str(image)], cluster=places(shared_api, image)[0]["cluster"])
            statements.clear()
            assert [len(one["excluded"]) for one in places(shared_api, image)] == [1] * number
            counted.append(len(statements))
    finally:
        event.remove(gallery.resources.database.engine, "before_cursor_execute", note)
    assert len(set(counted)) == 1 and counted[0] <= 7, counted


def test_images_that_are_not_there(shared_api: TestClient) -> None:
    problem(shared_api.get(f"/v1/images/{NOWHERE}/places"), 404, "image_not_found")
    problem(shared_api.get("/v1/images/17/places"), 422, "invalid")
