"""Near-duplicates over the API: what a scan found, on both databases, and a search by a real job."""

from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from app.db.session import now
from app.db.tables import DuplicatePair, DuplicateScan, EmbeddingSet, Encoder, Image
from app.ids import new_id
from tests.app.calls import NOWHERE, new_collection, problem, upload
from tests.fixtures.scenes import edits, saved, scene
from tests.fixtures.services import Service


def scanned(client: TestClient, sizes: list[int], pairs: list[tuple[int, int, float]]) -> tuple[str, list[UUID]]:
    """A collection of images with these widths, searched, with the pairs that were found."""
    collection_id = new_collection(client)
    ids = [new_id() for _ in sizes]
    with client.app.state.resources.database.transaction() as session:  # type: ignore[attr-defined]
        owner, moment = UUID(collection_id), now(session)
        for image_id, width in zip(ids, sizes, strict=True):
            about = {"name": f"{width}.jpg", "sha256": image_id.hex * 2, "bytes": 1, "format": "jpeg"}
            size = {"width": width, "height": 10, "status": "ready"}
            session.add(Image(id=image_id, collection_id=owner, created_at=moment, **about, **size))
        encoder = session.query(Encoder).filter_by(name="efficientnet-lite0").one()
        used = EmbeddingSet(
            id=new_id(), collection_id=owner, encoder_id=encoder.id, sha256="a" * 64, dim=4, created_at=moment
        )
        session.add(used)
        session.flush()
        scan = DuplicateScan(
            id=new_id(), collection_id=owner, set_id=used.id, images=len(ids), newest_shard=new_id(), job_id=new_id()
        )
        scan.created_at = moment
        session.add(scan)
        session.flush()
        for first, second, similarity in pairs:
            kind = "exact" if similarity == 1 else "hash"
            ends = {"first_id": ids[first], "second_id": ids[second]}
            session.add(DuplicatePair(scan_id=scan.id, similarity=similarity, kind=kind, **ends))
    return collection_id, ids


def groups(client: Any, collection_id: str, **params: Any) -> dict[str, Any]:
    answer = client.get(f"/v1/collections/{collection_id}/duplicates", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_groups_at_a_similarity(shared_api: TestClient) -> None:
    pairs = [(0, 1, 0.9), (1, 2, 0.6), (3, 4, 1.0), (2, 5, 0.4)]
    collection_id, ids = scanned(shared_api, [10, 30, 20, 40, 50, 60, 70], pairs)
    found = groups(shared_api, collection_id)
    assert found["totals"] == {"groups": 2, "images": 5, "spare": 3}
    assert found["scan"]["images"] == 7 and found["scan"]["complete"] is False
    chain, twins = found["items"]
    assert chain["representative"] == str(ids[1]), "the largest picture"
    assert chain["size"] == 3 and [one["similarity"] for one in chain["images"]] == [90, 90, 60]
    assert [one["name"] for one in chain["images"]] == ["30.jpg", "10.jpg", "20.jpg"]
    assert [(one["kind"], one["similarity"]) for one in twins["images"]] == [("exact", 100)] * 2
    assert [group["size"] for group in groups(shared_api, collection_id, similarity=30)["items"]] == [4, 2]
    assert [group["size"] for group in groups(shared_api, collection_id, similarity=90)["items"]] == [2, 2]
    assert [group["size"] for group in groups(shared_api, collection_id, similarity=100)["items"]] == [2]


def test_pages_of_groups_and_of_a_groups_images(shared_api: TestClient) -> None:
    pairs = [(n, n + 1, 0.8) for n in range(60)] + [(70, 71, 0.8), (72, 73, 0.8)]
    collection_id, ids = scanned(shared_api, list(range(1, 80)), pairs)
    first = groups(shared_api, collection_id, limit=2)
    rest = groups(shared_api, collection_id, limit=2, cursor=first["next_cursor"])
    assert [group["size"] for group in first["items"] + rest["items"]] == [61, 2, 2]
    assert rest["next_cursor"] is None and len(first["items"][0]["images"]) == 50
    path = f"/v1/collections/{collection_id}/duplicates/{ids[7]}"
    shown: list[str] = []
    cursor = None
    while True:
        page = shared_api.get(path, params={"limit": 25} | ({"cursor": cursor} if cursor else {})).json()
        shown += [one["image_id"] for one in page["items"]]
        if not (cursor := page["next_cursor"]):
            break
    assert shown == [str(one) for one in ids[:61]]
    alone = f"/v1/collections/{collection_id}/duplicates/{ids[65]}"
    problem(shared_api.get(alone), 404, "no_duplicates")
    problem(shared_api.get(path, params={"similarity": 90}), 404, "no_duplicates")


def test_a_deleted_image_leaves_its_group(shared_api: TestClient) -> None:
    collection_id, ids = scanned(shared_api, [1, 2, 3], [(0, 1, 0.9), (1, 2, 0.8)])
    assert groups(shared_api, collection_id)["items"][0]["size"] == 3
    shared_api.delete(f"/v1/images/{ids[2]}")
    assert groups(shared_api, collection_id)["items"][0]["representative"] == str(ids[1])
    shared_api.delete(f"/v1/images/{ids[0]}")
    assert groups(shared_api, collection_id)["totals"] == {"groups": 0, "images": 0, "spare": 0}


def test_before_a_search_and_what_is_refused(shared_api: TestClient) -> None:
    collection_id = new_collection(shared_api)
    path = f"/v1/collections/{collection_id}/duplicates"
    problem(shared_api.get(path), 409, "duplicates_not_searched")
    problem(shared_api.get(f"{path}/{NOWHERE}"), 409, "duplicates_not_searched")
    for similarity in (29, 101, "many", "nan"):
        problem(shared_api.get(path, params={"similarity": similarity}), 422, "invalid")
    problem(shared_api.get(f"/v1/collections/{NOWHERE}/duplicates"), 404, "collection_not_found")
    problem(shared_api.post(f"/v1/collections/{NOWHERE}/duplicates", json={}), 404, "collection_not_found")
    problem(shared_api.post(path, json={"encoder": "resnet-9000"}), 404, "encoder_not_found")
    once = {"Idempotency-Key": "search"}
    answers = [shared_api.post(path, json={}, headers=once) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json() and answers[0].json()["kind"] == "duplicates"


@pytest.fixture(scope="module")
def searched(running: Service) -> tuple[Service, str, dict[str, str]]:
    """A collection on the running service: three scenes with edits, five without; ids by name."""
    pictures = {}
    for seed in range(8):
        copies = edits(scene(seed)) if seed < 3 else {}
        pictures |= {f"{seed}/{name}.jpg": saved(copy) for name, copy in {"original": scene(seed), **copies}.items()}
    pictures["0/same pixels.jpg"] = pictures["0/original.jpg"] + b"\0"  # another file, by its bytes
    collection_id = new_collection(running.client, "near-duplicates")
    answer = upload(running.client, collection_id, pictures.items()).json()
    job = running.client.post(f"/v1/collections/{collection_id}/duplicates", json={}).json()
    done = running.job(job["id"])
    assert done["state"] == "succeeded", f"{done}\n{running.log()}"
    assert done["result"]["images"] == len(pictures)
    return running, collection_id, {item["name"]: item["image_id"] for item in answer["items"]}


def test_a_search_finds_the_copies_of_each_scene(searched: tuple[Service, str, dict[str, str]]) -> None:
    service, collection_id, ids = searched
    found = groups(service.client, collection_id)
    assert found["scan"] | {"created_at": None} == {"images": len(ids), "created_at": None, "complete": True}
    names = [{one["name"] for one in group["images"]} for group in found["items"]]
    scenes = [{name.split("/")[0] for name in group} for group in names]
    assert sorted(map(sorted, scenes)) == [["0"], ["1"], ["2"]]
    copies = {name for name in ids if name[0] in "012"}
    assert len(set().union(*names) & copies) >= len(copies) - 2, "an encoder may not see that a picture is a copy"
    by_name = {one["name"]: one for group in found["items"] for one in group["images"]}
    assert by_name["0/same pixels.jpg"]["similarity"] == by_name["0/original.jpg"]["similarity"] == 100
    assert by_name["1/mirrored.jpg"]["kind"] == "hash" and by_name["1/mirrored.jpg"]["similarity"] > 90
    for group in found["items"]:
        assert all(a["similarity"] >= b["similarity"] for a, b in pairwise(group["images"][1:]))


def test_a_scan_is_not_repeated_until_images_come(searched: tuple[Service, str, dict[str, str]]) -> None:
    service, collection_id, ids = searched
    before = groups(service.client, collection_id)
    again = service.client.post(f"/v1/collections/{collection_id}/duplicates", json={}).json()
    assert service.job(again["id"])["state"] == "succeeded"
    assert groups(service.client, collection_id)["scan"] == before["scan"], "the scan that was there"
    more = upload(service.client, collection_id, [("3/half.jpg", saved(edits(scene(3))["half"]))]).json()
    assert service.job(more["job_id"])["state"] == "succeeded"
    assert groups(service.client, collection_id)["scan"]["complete"] is False
    third = service.client.post(f"/v1/collections/{collection_id}/duplicates", json={}).json()
    assert service.job(third["id"])["state"] == "succeeded"
    after = groups(service.client, collection_id)
    assert after["scan"]["complete"] is True and after["scan"]["images"] == len(ids) + 1
    assert {"3/original.jpg", "3/half.jpg"} in [{one["name"] for one in group["images"]} for group in after["items"]]


def test_an_empty_collection_says_so(running: Service) -> None:
    collection_id = new_collection(running.client, "empty")
    job = running.client.post(f"/v1/collections/{collection_id}/duplicates", json={}).json()
    done = running.job(job["id"])
    assert done["state"] == "failed" and done["error"]["code"] == "collection_empty"
