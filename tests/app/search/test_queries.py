"""By a box on an image, by examples, and both with filters; on three kinds of pictures that look nothing alike."""

import io
import json
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import ExifTags, Image

from tests.app.calls import NOWHERE, new_collection, new_image, problem
from tests.app.conftest import Sorted
from tests.app.search.test_search import indexed, search
from tests.fixtures.pictures import gallery, jpeg
from tests.fixtures.services import Service


def kinds(hits: list[dict[str, Any]]) -> list[str]:
    return [hit["name"].split("/")[0] for hit in hits]


def of_kind(gallery: Sorted, kind: str) -> list[str]:
    return [image["id"] for image in gallery.images if image["name"].startswith(kind)]


def collage(kinds: tuple[str, ...]) -> bytes:
    """Pictures of some kinds side by side, each 320 x 320, in one."""
    parts = [np.asarray(Image.open(io.BytesIO(jpeg(kind, 77, (320, 320))))) for kind in kinds]
    buffer = io.BytesIO()
    Image.fromarray(np.concatenate(parts, axis=1)).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def with_exif(data: bytes, taken: str, camera: str) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Model] = camera
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken
    buffer = io.BytesIO()
    Image.open(io.BytesIO(data)).save(buffer, "JPEG", quality=95, exif=exif)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def dated(running: Service) -> tuple[str, dict[str, str]]:
    """A collection of 13 images, one of them of three kinds, the others a day apart on two cameras; ids by name."""
    files = {
        name: with_exif(data, f"2026:05:{n + 1:02} 10:00:00", f"Trap {n % 2}")
        for n, (name, data) in enumerate(gallery(4).items())
    }
    files["all/collage.jpg"] = collage(("red", "green", "blue"))
    collection_id = new_collection(running.client)
    return collection_id, dict(zip(files, indexed(running, collection_id, files), strict=True))


class TestBox:
    @pytest.mark.parametrize(("x", "kind"), [(0.0, "red"), (1 / 3, "green"), (2 / 3, "blue")])
    def test_finds_what_is_in_it(
        self, running: Service, dated: tuple[str, dict[str, str]], x: float, kind: str
    ) -> None:
        collection_id, ids = dated
        ask = {"image_id": ids["all/collage.jpg"], "box": [x + 0.03, 0.1, 0.27, 0.8]}
        hits = search(running.client, collection_id, ask, k=4).json()["hits"]
        assert kinds(hits) == [kind] * 4

    def test_the_whole_picture_is_the_picture(self, running: Service, dated: tuple[str, dict[str, str]]) -> None:
        collection_id, ids = dated
        whole = {"image_id": ids["red/0001.jpg"]}
        boxed = whole | {"box": [0, 0, 1, 1]}
        plain, box = (search(running.client, collection_id, ask, k=12).json()["hits"] for ask in (whole, boxed))
        assert {hit["image_id"] for hit in plain} == {hit["image_id"] for hit in box}, "itself is no hit of either"
        np.testing.assert_allclose(sorted(h["score"] for h in plain), sorted(h["score"] for h in box), atol=0.02)

    def test_on_a_picture_that_is_sent(self, running: Service, dated: tuple[str, dict[str, str]]) -> None:
        path, sent = f"/v1/collections/{dated[0]}/search?k=4", {"file": ("c.jpg", collage(("blue", "green")))}
        for box, kind in (("[0.02, 0.1, 0.45, 0.8]", "blue"), ("[0.55, 0.1, 0.44, 0.8]", "green")):
            answer = running.client.post(path, files=sent, data={"box": box})
            assert [found for found in kinds(answer.json()["hits"]) if found != "all"][:3] == [kind] * 3
        for box in ("[0, 0, 1]", "0,0,1,1", '["0", 0, 1, 1]', "[0.5, 0, 0.6, 1]", "[" * 5000, "null", "[0, 0, NaN, 1]"):
            problem(running.client.post(path, files=sent, data={"box": box}), 422, "invalid")
        assert not list((running.data / "tmp").glob("*-*")), "neither the picture nor its part is kept"

    def test_of_an_image_nobody_decoded(self, shared_api: TestClient, sorted_gallery: Sorted) -> None:
        client, here = sorted_gallery.client, sorted_gallery.collection_id
        waiting = new_collection(shared_api)
        ask = {"image_id": new_image(shared_api, waiting), "box": [0, 0, 1, 1]}
        problem(search(shared_api, waiting, ask), 409, "not_indexed")
        problem(search(client, here, {"image_id": NOWHERE, "box": [0, 0, 1, 1]}), 404, "image_not_found")


class TestExamples:
    def test_between_two_kinds_are_both(self, sorted_gallery: Sorted) -> None:
        red, blue = of_kind(sorted_gallery, "red"), of_kind(sorted_gallery, "blue")
        ask = {"positives": [red[0], blue[0]]}
        hits = search(sorted_gallery.client, sorted_gallery.collection_id, ask, k=6).json()["hits"]
        assert sorted(kinds(hits)) == ["blue"] * 3 + ["red"] * 3
        assert not {red[0], blue[0]} & {hit["image_id"] for hit in hits}

    def test_negatives_move_away(self, sorted_gallery: Sorted) -> None:
        red, blue = of_kind(sorted_gallery, "red"), of_kind(sorted_gallery, "blue")

        def scores(ask: dict[str, Any]) -> dict[str, float]:
            hits = search(sorted_gallery.client, sorted_gallery.collection_id, ask, k=500).json()["hits"]
            assert not {one for ids in ask.values() for one in ids} & {hit["image_id"] for hit in hits}
            return {hit["image_id"]: hit["score"] for hit in hits}

        plain, away = scores({"positives": red[:2]}), scores({"positives": red[:2], "negatives": blue[:1]})
        assert all(away[image_id] < plain[image_id] for image_id in blue[1:])
        assert all(away[one] - away[two] > plain[one] - plain[two] for one in red[2:] for two in blue[1:])

    def test_one_positive_is_the_image_itself(self, sorted_gallery: Sorted) -> None:
        one = sorted_gallery.images[0]["id"]
        client, here = sorted_gallery.client, sorted_gallery.collection_id
        expected = search(client, here, {"image_id": one}).json()["hits"]
        found = search(client, here, {"positives": [one]}).json()["hits"]
        assert [hit["image_id"] for hit in found] == [hit["image_id"] for hit in expected]

    def test_what_is_not_there(self, sorted_gallery: Sorted) -> None:
        client, here = sorted_gallery.client, sorted_gallery.collection_id
        own, foreign = sorted_gallery.images[0]["id"], new_image(client, new_collection(client), 50)
        for ask in ({"positives": [own, foreign]}, {"positives": [own], "negatives": [NOWHERE]}):
            problem(search(client, here, ask), 404, "image_not_found")
        later = new_image(client, here, 51)
        problem(search(client, here, {"positives": [own], "negatives": [later]}), 409, "not_embedded")
        assert client.delete(f"/v1/images/{later}").status_code == 204


class TestFilters:
    @pytest.mark.parametrize(
        ("filters", "names"),
        [
            ({"name": "green/"}, {f"green/{n:04}.jpg" for n in range(4)}),
            ({"camera": "Trap 0", "name": "blue"}, {"blue/0000.jpg", "blue/0002.jpg"}),
            ({"taken_after": "2026-05-03T00:00:00Z", "taken_before": "2026-05-05T10:00:00Z"},
             {"red/0002.jpg", "red/0003.jpg"}),
            ({"taken_before": "2026-05-01T12:00:00+02:00"}, set()),
            ({"camera": ""}, None),
        ],
    )  # fmt: skip
    def test_mean_what_they_mean_in_the_list_of_images(
        self, running: Service, dated: tuple[str, dict[str, str]], filters: dict[str, str], names: set[str] | None
    ) -> None:
        collection_id, ids = dated
        ask = {"image_id": ids["all/collage.jpg"]}
        listed = running.client.get(f"/v1/collections/{collection_id}/images", params=filters).json()["items"]
        expected = {image["name"] for image in listed} - {"all/collage.jpg"}
        assert names is None or expected == names
        inside = search(running.client, collection_id, ask | filters).json()["hits"]
        assert search(running.client, collection_id, ask, **filters).json()["hits"] == inside
        assert {hit["name"] for hit in inside} <= expected and len(inside) == min(10, len(expected))
        picture = {"file": ("a.jpg", jpeg("red", 5))}
        path = f"/v1/collections/{collection_id}/search"
        sent = running.client.post(path, files=picture, params=filters).json()["hits"]
        assert len(sent) == min(10, len(listed))

    def test_by_cluster(self, sorted_gallery: Sorted) -> None:
        client, here = sorted_gallery.client, sorted_gallery.collection_id
        own = sorted_gallery.images[0]["id"]
        for cluster in (1, "1", f"{sorted_gallery.clustering['id']}:1"):
            listed = client.get(f"/v1/collections/{here}/images", params={"cluster": cluster}).json()["items"]
            hits = search(client, here, {"image_id": own, "cluster": cluster}).json()["hits"]
            assert {hit["image_id"] for hit in hits} == {image["id"] for image in listed} - {own}
        assert search(client, here, {"image_id": own, "cluster": 99}).json()["hits"] == []
        problem(search(client, here, {"image_id": own, "cluster": "one"}), 422, "cluster_invalid")
        problem(search(client, here, {"image_id": own, "cluster": f"{NOWHERE}:1"}), 404, "clustering_not_found")

    def test_once(self, sorted_gallery: Sorted) -> None:
        ask = {"image_id": sorted_gallery.images[0]["id"], "name": "a"}
        problem(search(sorted_gallery.client, sorted_gallery.collection_id, ask, name="a"), 422, "filter_twice")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"image_id": NOWHERE, "positives": [NOWHERE]}, "either"),
        ({"positives": []}, "either"),
        ({"box": [0, 0, 1, 1], "positives": [NOWHERE]}, "image_id"),
        ({"image_id": NOWHERE, "negatives": [NOWHERE]}, "negatives"),
        ({"image_id": NOWHERE, "box": [0.5, 0, 0.6, 1]}, "box is"),
        ({"image_id": NOWHERE, "box": [0, 0, 0, 1]}, "box is"),
        ({"image_id": NOWHERE, "box": [0, 0, 1]}, "box"),
        ({"image_id": NOWHERE, "box": [0, 0, 100, 100]}, "box.2"),
        ({"image_id": NOWHERE, "box": ["0", 0, 1, 1]}, "box.0"),
        ({"positives": [NOWHERE] * 101}, "positives"),
        ({"image_id": NOWHERE, "taken_after": 5}, "taken_after"),
        ({"image_id": NOWHERE, "camera": "\x00"}, "camera"),
        ({"image_id": NOWHERE, "cluster": True}, "cluster"),
    ],
)
def test_what_makes_no_query(shared_api: TestClient, body: dict[str, Any], reason: str) -> None:
    assert reason in problem(search(shared_api, str(UUID(int=1)), body), 422, "invalid")["detail"]


def test_the_longest_query_fits(shared_api: TestClient) -> None:
    body = {"positives": [NOWHERE] * 100, "negatives": [NOWHERE] * 100, "name": "x" * 200}
    assert len(json.dumps(body)) < 10_000
    problem(search(shared_api, new_collection(shared_api), body), 409, "not_indexed")
