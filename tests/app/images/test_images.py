"""Looking at images, filtering them, reading their files, deleting them."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import update

from app.db.tables import Image as ImageRow
from app.settings import Settings
from tests.app.calls import NOWHERE, files_below, new_collection, new_image, problem, upload
from tests.app.conftest import Sorted
from tests.fixtures.pictures import jpeg
from tests.fixtures.services import Service


def listed(api: Any, collection_id: str, **filters: Any) -> list[str]:
    answer = api.get(f"/v1/collections/{collection_id}/images", params=filters)
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


@pytest.fixture
def three(shared_api: TestClient) -> str:
    """A collection of three images, as decoding would leave them."""
    collection_id = new_collection(shared_api)
    names = ("wren/1.jpg", "wren/2.jpg", "robin 100%_.jpg")
    ids = [new_image(shared_api, collection_id, n, name) for n, name in enumerate(names)]
    day = datetime(2026, 5, 1, 12, tzinfo=UTC)
    values = [
        {"id": image_id, "status": status, "taken_at": day + timedelta(days=n), "camera": camera}
        for n, (image_id, status, camera) in enumerate(
            zip(ids, ("ready", "ready", "rejected"), ("Nikon Z8", "Canon", None), strict=True)
        )
    ]
    with shared_api.app.state.resources.database.transaction() as session:  # type: ignore[attr-defined]
        from uuid import UUID

        session.execute(update(ImageRow), [value | {"id": UUID(str(value["id"]))} for value in values])
    return collection_id


def test_filters(shared_api: TestClient, three: str) -> None:
    one, two, robin = "wren/1.jpg", "wren/2.jpg", "robin 100%_.jpg"
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({}, [one, two, robin]),
        ({"status": "ready"}, [one, two]),
        ({"status": "pending"}, []),
        ({"name": "WREN"}, [one, two]),
        ({"name": "100%_"}, [robin]),
        ({"name": "%"}, [robin]),
        ({"camera": "Nikon Z8"}, [one]),
        ({"camera": "nikon"}, []),
        ({"taken_after": "2026-05-02T12:00:00Z"}, [two, robin]),
        ({"taken_before": "2026-05-02T12:00:00Z"}, [one]),
        ({"taken_after": "2026-05-02T13:00:00+02:00", "taken_before": "2026-05-03T12:00:00"}, [two]),
        ({"taken_after": "0001-01-01T00:00:00Z", "taken_before": "9999-12-31T23:59:59Z"}, [one, two, robin]),
    ]
    for filters, names in cases:
        assert listed(shared_api, three, **filters) == names, filters


@pytest.mark.parametrize(
    "filters",
    [{"status": "lost"}, {"taken_after": "yesterday"}, {"taken_after": "0001-01-01T00:00:00+14:00"},
     {"taken_before": "9999-12-31T23:59:59-14:00"}, {"name": "a\x00"}, {"camera": "\x00"}, {"name": "x" * 201},
     {"cluster": "\x00"}],
)  # fmt: skip
def test_filters_that_make_no_sense(shared_api: TestClient, filters: dict[str, str]) -> None:
    answer = shared_api.get(f"/v1/collections/{new_collection(shared_api)}/images", params=filters)
    problem(answer, 422, "invalid")


def test_by_cluster(sorted_gallery: Sorted) -> None:
    client, path = sorted_gallery.client, f"/v1/clusterings/{sorted_gallery.clustering['id']}/clusters"
    for cluster in client.get(path).json()["items"]:
        members = {item["name"] for item in client.get(f"{path}/{cluster['id']}/images").json()["items"]}
        for wanted in (str(cluster["id"]), f"{sorted_gallery.clustering['id']}:{cluster['id']}"):
            assert set(listed(client, sorted_gallery.collection_id, cluster=wanted)) == members
    images = f"/v1/collections/{sorted_gallery.collection_id}/images"
    assert client.get(images, params={"cluster": "99"}).json()["items"] == []
    problem(client.get(images, params={"cluster": "first"}), 422, "cluster_invalid")
    problem(client.get(images, params={"cluster": f"{NOWHERE}:0"}), 404, "clustering_not_found")
    problem(client.get(images, params={"cluster": "9" * 50}), 404, "clustering_not_found")


def test_an_image_in_full(sorted_gallery: Sorted) -> None:
    image = sorted_gallery.images[0]
    shown = sorted_gallery.client.get(f"/v1/images/{image['id']}").json()
    assert shown == image
    assert set(shown) == {
        "id", "collection_id", "name", "sha256", "bytes", "format", "width", "height", "status", "error", "taken_at",
        "camera", "exif", "created_at",
    }  # fmt: skip
    assert (shown["status"], shown["width"], shown["height"], shown["error"]) == ("ready", 160, 120, None)
    assert shown["exif"] is None, "a drawn picture has none"


def test_thumbnails(sorted_gallery: Sorted) -> None:
    path = f"/v1/images/{sorted_gallery.images[0]['id']}/thumbnail"
    for size in (None, 128, 256, 1024, 1024):
        answer = sorted_gallery.client.get(path, params={"size": size} if size else None)
        assert answer.status_code == 200 and answer.headers["content-type"] == "image/jpeg"
        with Image.open(io.BytesIO(answer.content)) as picture:
            picture.load()
            assert picture.format == "JPEG" and min(picture.size) <= (size or 256)
    problem(sorted_gallery.client.get(path, params={"size": 512}), 422, "invalid")


def test_the_smallest_thumbnail_is_half_the_working_copy(sorted_gallery: Sorted) -> None:
    client, path = sorted_gallery.client, f"/v1/images/{sorted_gallery.images[0]['id']}/thumbnail"
    small, again, working = (client.get(path, params={"size": size}) for size in (128, 128, 256))
    sizes = [Image.open(io.BytesIO(answer.content)).size for answer in (small, working)]
    assert sizes == [(171, 128), (341, 256)]
    assert small.content == again.content and small.headers["ETag"] == again.headers["ETag"] != working.headers["ETag"]
    assert small.headers["Cache-Control"] == working.headers["Cache-Control"]
    assert small.headers["X-Content-Type-Options"] == "nosniff"


def test_no_thumbnail_of_what_is_not_decoded(shared_api: TestClient, three: str) -> None:
    collection_id = new_collection(shared_api)
    pending = shared_api.get(f"/v1/images/{new_image(shared_api, collection_id)}/thumbnail")
    assert problem(pending, 409, "image_pending") and pending.headers["Retry-After"]
    rejected = shared_api.get(f"/v1/collections/{three}/images", params={"status": "rejected"}).json()["items"][0]
    problem(shared_api.get(f"/v1/images/{rejected['id']}/thumbnail"), 404, "thumbnail_not_found")


def test_parts_of_a_file(api: TestClient) -> None:
    data = jpeg("red", 0, (32, 24))
    path = f"/v1/images/{new_image(api, new_collection(api))}/file"
    part = api.get(path, headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, data[2:6])
    assert part.headers["Content-Range"] == f"bytes 2-5/{len(data)}"
    for ignored in ("bytes=5-2", "lines=1-2", "nonsense", "bytes=", "bytes=a-b"):
        assert api.get(path, headers={"Range": ignored}).content == data, ignored
    beyond = api.get(path, headers={"Range": "bytes=999999-"})
    assert problem(beyond, 416, "range_not_satisfiable")
    assert beyond.headers["Content-Range"] == f"bytes */{len(data)}"


@pytest.mark.parametrize("rest", ["", "/file", "/thumbnail", "/thumbnail?size=128", "/thumbnail?size=1024", "/places"])
def test_images_that_are_not_there(shared_api: TestClient, rest: str) -> None:
    problem(shared_api.get(f"/v1/images/{NOWHERE}{rest}"), 404, "image_not_found")
    for hostile in ("17", "%00", "..%2f..%2fetc%2fpasswd", "%2e%2e", "..;", "0199c0de-0000-7000-8000-00000000000g"):
        answer = shared_api.get(f"/v1/images/{hostile}{rest}")
        problem(answer, answer.status_code, {404: "not_found", 422: "invalid"}[answer.status_code])


@pytest.mark.embedded
def test_files_that_somebody_took_away(running: Service) -> None:
    """The row is there, the blob is not: an error with a code, and a line in the log."""
    client = running.client
    collection_id = new_collection(client)
    answer = upload(client, collection_id, [("a.jpg", jpeg("red", 5))]).json()
    assert running.job(answer["job_id"])["state"] == "succeeded"
    path = f"/v1/images/{answer['items'][0]['image_id']}"
    for file in files_below(running.data / "blobs" / "collections" / collection_id):
        file.unlink()
    for rest in ("/file", "/thumbnail", "/thumbnail?size=128", "/thumbnail?size=1024"):
        problem(client.get(path + rest), 404, "file_missing")
    assert "a blob is missing" in running.log()


@pytest.mark.embedded
def test_deleting_takes_the_files_along(running: Service) -> None:
    client = running.client
    collection_id = new_collection(client)
    answer = upload(client, collection_id, [("a.jpg", jpeg("red", 1)), ("b.jpg", jpeg("red", 2))]).json()
    running.job(answer["job_id"])
    first, second = (item["image_id"] for item in answer["items"])
    for image in (first, second):
        assert client.get(f"/v1/images/{image}/thumbnail?size=1024").status_code == 200
    folder = running.data / "blobs" / "collections" / collection_id
    assert sum(first in path.name for path in files_below(folder)) == 3, "original, working copy, large copy"
    assert client.delete(f"/v1/images/{first}").status_code == 204
    assert not any(first in path.name for path in files_below(folder))
    assert sum(second in path.name for path in files_below(folder)) == 3
    for rest in ("", "/file", "/thumbnail"):
        problem(client.get(f"/v1/images/{first}{rest}"), 404, "image_not_found")
    problem(client.delete(f"/v1/images/{first}"), 404, "image_not_found")
    again = upload(client, collection_id, [("a.jpg", jpeg("red", 1))]).json()
    assert again["created"] == 1 and again["items"][0]["image_id"] != first


def test_where_it_was_taken_stays_with_the_owner(running: Service) -> None:
    """GPS, serial numbers and comments are in the original only; what is derived or listed has none of it."""
    client = running.client
    picture = Image.open(io.BytesIO(jpeg("green", 3, (640, 480))))
    exif = Image.Exif()
    exif[0x0110], exif[0x013B] = "Roost One", "SECRET-ARTIST"
    exif.get_ifd(0x8769).update({0x9003: "2026:05:01 12:00:00", 0xA431: "SERIAL-4711", 0xA430: "SECRET-OWNER"})
    exif.get_ifd(0x8769).update({0x829D: 5.6, 0x8827: 900, 0x9209: 0x10, 0x9286: b"ASCII\0\0\0SECRET-NOTE"})
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", exif=exif, comment=b"SECRET-COMMENT")
    answer = upload(client, new_collection(client), [("gps.jpg", buffer.getvalue())]).json()
    assert running.job(answer["job_id"])["state"] == "succeeded"
    path = f"/v1/images/{answer['items'][0]['image_id']}"
    shown = client.get(path)
    assert shown.json()["camera"] and shown.json()["taken_at"].startswith("2026-05-01")
    assert not {"gps", "latitude", "location"} & set(shown.json())
    assert "SERIAL" not in shown.text and "SECRET" not in shown.text
    known = {name: value for name, value in shown.json()["exif"].items() if value is not None}
    assert known == {"model": "Roost One", "f_number": 5.6, "iso": 900, "flash": False}
    for size in (128, 256, 1024):
        data = client.get(f"{path}/thumbnail", params={"size": size}).content
        with Image.open(io.BytesIO(data)) as small:
            assert not dict(small.getexif()) and not small.info.get("comment")
        assert not any(secret in data for secret in (b"SERIAL", b"SECRET", b"Exif", b"GPS"))
    assert client.get(f"{path}/file").content == buffer.getvalue()


@pytest.mark.embedded
def test_scratch_stays_empty(api: TestClient, settings: Settings) -> None:
    collection_id = new_collection(api)
    new_image(api, collection_id)
    upload(api, collection_id, [("b.txt", b"no picture"), ("a.jpg", jpeg("red", 0, (32, 24)))])
    assert files_below(settings.scratch) == [] and len(files_below(Path(settings.data / "blobs"))) == 1
