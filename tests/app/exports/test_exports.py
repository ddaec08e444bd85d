"""A clustering as a zip of folders, as COCO and as Camtrap DP, each opened by a program of its own kind."""

import csv
import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import frictionless
import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from app.db.tables import Cluster, Image
from app.images.service import original_key
from tests.app.calls import NOWHERE, problem
from tests.fixtures.clusterings import Gallery

NAMES = [
    "north/0012.jpg", "south/0012.JPG", "north/../x.jpg", "north/a|b?.jpg", "alone.jpg", "=cmd.jpg", "north/0012.jpg",
]  # fmt: skip
LABELS = {0: "Troglodytes troglodytes", 1: "person"}
PATHS = {
    "Troglodytes troglodytes/0012.jpg", "Troglodytes troglodytes/0012-2.JPG", "Troglodytes troglodytes/x.jpg",
    "person/a_b_.jpg", "person/alone.jpg", "cluster-2/=cmd.jpg", "no-cluster/0012.jpg",
}  # fmt: skip


@pytest.fixture(scope="module")
def gallery(shared_api: TestClient) -> Gallery:
    """Seven images in clusters of three, two and one, the last in none; the file of "alone.jpg" is lost."""
    made = Gallery.make(shared_api.app.state.resources)  # type: ignore[attr-defined]
    made.add(np.eye(8, dtype=np.float32)[[0, 0, 0, 1, 1, 2, 3]])  # in a cluster all as typical: in order of id
    with made.resources.database.transaction() as session:
        for number, (image_id, name) in enumerate(zip(made.images, NAMES, strict=True)):
            taken = datetime(2026, 4, number + 1, 5, tzinfo=UTC) if number % 2 else None
            values = {
                "name": name,
                "taken_at": taken,
                "camera": "Acme 1" if number < 5 else None,
                "width": 4,
                "height": 3,
            }
            session.execute(update(Image).where(Image.id == image_id).values(**values))
            if name != "alone.jpg":
                source = made.resources.settings.scratch / f"{image_id}.jpg"
                source.write_bytes(f"pixels of {number}".encode())
                sha256 = session.get_one(Image, image_id).sha256
                made.resources.storage.put([(source, original_key(made.collection_id, image_id, sha256))])
    return made


@pytest.fixture(scope="module")
def clustering_id(gallery: Gallery) -> UUID:
    made = gallery.cluster(np.array([0, 0, 0, 1, 1, 2, -1]))
    with gallery.resources.database.transaction() as session:
        for number, label in LABELS.items():
            named = update(Cluster).where(Cluster.clustering_id == made, Cluster.number == number)
            session.execute(named.values(label=label))
    return made


def exported(api: TestClient, clustering_id: UUID, form: str, **params: Any) -> Any:
    return api.get(f"/v1/clusterings/{clustering_id}/export", params={"format": form} | params)


def test_a_zip_of_folders(shared_api: TestClient, gallery: Gallery, clustering_id: UUID) -> None:
    answer = exported(shared_api, clustering_id, "zip")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == PATHS - {"person/alone.jpg"} | {"missing.txt"}
        assert "person/alone.jpg" in archive.read("missing.txt").decode()
        contents = {archive.read(name) for name in archive.namelist() if name != "missing.txt"}
    assert contents == {f"pixels of {number}".encode() for number in range(7) if NAMES[number] != "alone.jpg"}


def test_coco(shared_api: TestClient, gallery: Gallery, clustering_id: UUID) -> None:
    found = exported(shared_api, clustering_id, "coco").json()
    assert {one["file_name"] for one in found["images"]} == PATHS
    categories = {one["id"]: one["name"] for one in found["categories"]}
    assert sorted(categories.values()) == ["Troglodytes troglodytes", "cluster-2", "person"]
    paths = {one["id"]: one["file_name"] for one in found["images"]}
    assert len(paths) == 7 and len(found["annotations"]) == 6
    for one in found["annotations"]:
        assert paths[one["image_id"]].startswith(f"{categories[one['category_id']]}/")
    assert {UUID(one["roost_id"]) for one in found["images"]} == set(gallery.images)


def unpacked(content: bytes, folder: Path) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["datapackage.json", "deployments.csv", "media.csv", "observations.csv"]
        archive.extractall(folder)
    package: dict[str, Any] = json.loads((folder / "datapackage.json").read_text())
    return package


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_camtrap_dp_is_valid(shared_api: TestClient, clustering_id: UUID, tmp_path: Path) -> None:
    package = unpacked(exported(shared_api, clustering_id, "camtrap-dp").content, tmp_path)
    report = frictionless.validate(str(tmp_path / "datapackage.json"))
    assert report.valid, report.flatten(["rowNumber", "fieldName", "type", "message"])
    assert [task.stats.get("rows") for task in report.tasks] == [5, 7, 7]
    assert package["taxonomic"] == [{"scientificName": "Troglodytes troglodytes"}]
    assert package["temporal"]["start"] == "2026-04-02" and package["spatial"]["type"] == "Polygon"


def test_the_validator_would_notice(shared_api: TestClient, clustering_id: UUID, tmp_path: Path) -> None:
    """A medium of a deployment that is not there, and an observation of a kind that the standard does not know."""
    unpacked(exported(shared_api, clustering_id, "camtrap-dp").content, tmp_path)
    for name, old, new in (("media", ",north,", ",nowhere,"), ("observations", ",human,", ",ghost,")):
        path = tmp_path / f"{name}.csv"
        path.write_text(path.read_text().replace(old, new))
    report = frictionless.validate(str(tmp_path / "datapackage.json"))
    assert {"foreign-key", "constraint-error"} <= {kind for (kind,) in report.flatten(["type"])}


def test_what_camtrap_dp_says_is_true(
    shared_api: TestClient, gallery: Gallery, clustering_id: UUID, tmp_path: Path
) -> None:
    unpacked(exported(shared_api, clustering_id, "camtrap-dp").content, tmp_path)
    deployments = {one["deploymentID"]: one for one in rows(tmp_path, "deployments")}
    assert set(deployments) == {"north", "south", "north/..", "Acme 1", "unplaced"}
    for one in deployments.values():
        assert (one["latitude"], one["longitude"], one["coordinateUncertainty"]) == ("0", "0", "20037509")
        assert one["timestampIssues"] == "true" and "Where the camera stood is unknown." in one["deploymentComments"]
    media = {UUID(one["mediaID"]): one for one in rows(tmp_path, "media")}
    assert set(media) == set(gallery.images)
    taken = media[gallery.images[1]]
    assert (taken["timestamp"], taken["mediaComments"]) == ("2026-04-02T05:00:00Z", "")
    assert media[gallery.images[0]]["mediaComments"] == "The time is that of the upload."
    assert shared_api.get(taken["filePath"].removeprefix("http://testserver")).content == b"pixels of 1"
    seen = {UUID(one["mediaID"]): one for one in rows(tmp_path, "observations")}
    kinds = [seen[image]["observationType"] for image in gallery.images]
    assert kinds == ["animal"] * 3 + ["human"] * 2 + ["unclassified"] * 2
    assert seen[gallery.images[0]]["scientificName"] == LABELS[0]
    assert seen[gallery.images[0]]["classificationMethod"] == "machine"
    assert seen[gallery.images[5]]["observationTags"] == "cluster:2"


def test_camtrap_dp_with_a_place_and_linked_schemas(
    shared_api: TestClient, clustering_id: UUID, tmp_path: Path
) -> None:
    answer = exported(shared_api, clustering_id, "camtrap-dp", latitude=52.7, longitude=23.85, schemas="linked")
    package = unpacked(answer.content, tmp_path)
    assert package["spatial"] == {"type": "Point", "coordinates": [23.85, 52.7]}
    assert package["profile"].endswith("/camtrap-dp/1.0/camtrap-dp-profile.json")
    for one in package["resources"]:
        assert one["schema"].endswith(f"/camtrap-dp/1.0/{one['name']}-table-schema.json")
    assert {one["coordinateUncertainty"] for one in rows(tmp_path, "deployments")} == {""}


def test_what_can_not_be_exported(shared_api: TestClient, clustering_id: UUID) -> None:
    problem(exported(shared_api, UUID(NOWHERE), "zip"), 404, "clustering_not_found")
    problem(exported(shared_api, clustering_id, "tar"), 422, "invalid")
    problem(exported(shared_api, clustering_id, "camtrap-dp", latitude=1), 422, "place_incomplete")
    problem(exported(shared_api, clustering_id, "camtrap-dp", latitude=91, longitude=0), 422, "invalid")
