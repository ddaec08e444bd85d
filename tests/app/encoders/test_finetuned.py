"""What a fine-tuning stored: shown, compared, used for clustering and search, and deleted without a trace."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from app.collections.service import training_lock
from app.db.tables import Encoder, EncoderMeasure, Job
from app.encoders import results, service
from app.encoders.schemas import HeldOut
from app.ids import new_id
from app.resources import Resources
from app.settings import Settings
from models.encoders.base import EncoderHashMismatch
from models.encoders.finetuned import FinetunedEncoder
from tests.app.calls import NOWHERE, files_below, new_collection, problem, upload
from tests.fixtures.encoders import RECIPE
from tests.fixtures.pictures import gallery, jpeg
from tests.fixtures.services import Service

TRAINING = {
    "ended": "budget",
    "epochs": [{"epoch": 0, "retrieval": 0.5}, {"epoch": 1, "loss": 1.5, "retrieval": 0.75, "knn": None}],
    "curves": {"influence_of_k": [[2, 0.5]]},
}
HELD_OUT, OTHER = HeldOut(images=3, fingerprint="c" * 64), HeldOut(images=4, fingerprint="d" * 64)


def stored(res: Resources, collection_id: str, made: FinetunedEncoder, tmp_path: Path, name: str = "mine") -> UUID:
    """As a job leaves it: blobs and row."""
    encoder_id, home = new_id(), UUID(collection_id)
    copy = Path(shutil.copytree(made.folder, tmp_path / str(encoder_id)))
    res.storage.put([(copy, service.key(home, encoder_id))])
    description = made.description.model_copy(update={"name": name})
    job = Job(id=new_id(), collection_id=home)
    with res.database.transaction() as session:
        results.finish(
            session, job, encoder_id, description, training=TRAINING, metrics={"retrieval": 0.75},
            recommended=True, verdict="Use it.",
        )  # fmt: skip
    return encoder_id


@pytest.fixture
def res(either_api: TestClient) -> Resources:
    found: Resources = either_api.app.state.resources  # type: ignore[attr-defined]
    return found


@pytest.fixture
def elsewhere(running: Service) -> Iterator[Resources]:
    """The running service's own database and storage, as a worker of it has them."""
    resources = Resources.open(Settings(data=running.data))
    yield resources
    resources.close()


def test_shown_like_any_other(
    either_api: TestClient, res: Resources, untrained: FinetunedEncoder, tmp_path: Path
) -> None:
    collection_id = new_collection(either_api)
    encoder_id = stored(res, collection_id, untrained, tmp_path)
    shown = either_api.get(f"/v1/encoders/{encoder_id}").json()
    assert shown in either_api.get("/v1/encoders", params={"limit": 500}).json()["items"]
    assert shown.pop("created_at")
    assert shown == {
        "id": str(encoder_id), "name": "mine", "origin": "finetuned", "base": "efficientnet-lite0", "method": "simclr",
        "params": RECIPE.params, "dim": 1280, "sha256": untrained.sha256(), "available": True, "reason": None,
        "metrics": {"retrieval": 0.75}, "recommended": True, "verdict": "Use it.", "collection_id": collection_id,
    }  # fmt: skip
    assert either_api.get(f"/v1/encoders/{encoder_id}/training").json() == TRAINING | {
        "encoder_id": str(encoder_id), "method": "simclr", "base": "efficientnet-lite0", "params": RECIPE.params,
        "seed": 7, "fingerprint": RECIPE.fingerprint, "versions": untrained.description.versions,
    }  # fmt: skip


def test_what_the_disk_lost_is_not_available(
    either_api: TestClient, res: Resources, untrained: FinetunedEncoder, tmp_path: Path
) -> None:
    encoder_id = stored(res, new_collection(either_api), untrained, tmp_path)
    with res.database.reading() as session:
        row = session.get_one(Encoder, encoder_id)
    folder = res.storage.local(str(row.key))
    (folder / "model.bin").unlink()
    shown = either_api.get(f"/v1/encoders/{encoder_id}").json()
    assert not shown["available"] and "model.bin" in shown["reason"] and shown["sha256"] == untrained.sha256()
    description = (folder / "encoder.json").read_text()
    (folder / "encoder.json").write_text(description.replace(untrained.sha256(), "0" * 64))
    with pytest.raises(EncoderHashMismatch):  # another encoder in its place, however consistent
        service.plugin(res.storage, row)
    shutil.rmtree(folder)
    shown = either_api.get(f"/v1/encoders/{encoder_id}").json()
    assert not shown["available"] and "encoder.json" in shown["reason"]


def test_the_comparison(either_api: TestClient, res: Resources, untrained: FinetunedEncoder, tmp_path: Path) -> None:
    collection_id = new_collection(either_api)
    path = f"/v1/collections/{collection_id}/encoders/compare"
    assert either_api.get(path).json() == {"held_out": None, "items": []}
    base = next(one for one in either_api.get("/v1/encoders").json()["items"] if one["name"] == "efficientnet-lite0")
    base_id, home = UUID(base["id"]), UUID(collection_id)
    mine = stored(res, collection_id, untrained, tmp_path)
    with res.database.transaction() as session:
        results.measure(session, home, base_id, base["sha256"], HELD_OUT, {"retrieval": 0.5})
        results.measure(session, home, mine, untrained.sha256(), HELD_OUT, {"retrieval": 0.75})
        results.measure(session, home, new_id(), "e" * 64, HELD_OUT, {})  # one that was deleted meanwhile
        assert results.stale(session, home, HELD_OUT) == []
    found = either_api.get(path).json()
    assert found["held_out"] == {"images": 3, "fingerprint": "c" * 64}
    assert found["items"][1] == {
        "encoder": {"id": str(mine), "name": "mine", "sha256": untrained.sha256()}, "base": "efficientnet-lite0",
        "method": "simclr", "images_trained": 2, "metrics": {"retrieval": 0.75}, "recommended": True,
        "verdict": "Use it.", "current": True,
    }  # fmt: skip
    assert found["items"][0]["encoder"]["name"] == "efficientnet-lite0" and found["items"][0]["recommended"] is None
    with res.database.transaction() as session:
        results.measure(session, home, base_id, base["sha256"], OTHER, {"retrieval": 0.25})
        row = session.get_one(EncoderMeasure, (home, base_id))
        row.created_at += timedelta(seconds=1)  # however coarse the clock
        assert [one.name for one in results.stale(session, home, OTHER)] == ["mine"]
    found = either_api.get(path).json()
    assert found["held_out"] == {"images": 4, "fingerprint": "d" * 64}
    assert [(one["metrics"], one["current"]) for one in found["items"]] == [
        ({"retrieval": 0.25}, True),
        ({"retrieval": 0.75}, False),
    ]


def test_its_name_is_taken_and_it_is_no_base(
    either_api: TestClient, res: Resources, untrained: FinetunedEncoder, tmp_path: Path
) -> None:
    collection_id = new_collection(either_api)
    stored(res, collection_id, untrained, tmp_path, name="simclr-1")
    upload(either_api, collection_id, [(f"{n}.jpg", jpeg("red", n, (32, 24))) for n in range(32)])

    def ask(**body: Any) -> Any:
        return either_api.post(f"/v1/collections/{collection_id}/encoders", json={"method": "simclr"} | body)

    problem(ask(name="simclr-1"), 409, "encoder_name_taken")
    problem(ask(base="simclr-1"), 422, "encoder_untrainable")
    job = either_api.get(f"/v1/jobs/{ask().json()['id']}").json()
    with res.database.reading() as session:
        row = session.get_one(Job, UUID(job["id"]))
        assert (row.params["name"], row.lock) == ("simclr-2", training_lock(UUID(collection_id)))


def test_deleting(either_api: TestClient, res: Resources, untrained: FinetunedEncoder, tmp_path: Path) -> None:
    collection_id = new_collection(either_api)
    encoder_id = stored(res, collection_id, untrained, tmp_path)
    with res.database.transaction() as session:
        results.measure(session, UUID(collection_id), encoder_id, untrained.sha256(), HELD_OUT, {})
    jobs = [
        either_api.post(f"/v1/collections/{collection_id}/clusterings", json={"encoder": name}).json()["id"]
        for name in ("mine", "efficientnet-lite0")
    ]
    path = f"/v1/encoders/{encoder_id}"
    gone = either_api.delete(path)
    assert gone.status_code == 204 and gone.content == b""
    for call in (either_api.get(path), either_api.get(f"{path}/training"), either_api.delete(path)):
        problem(call, 404, "encoder_not_found")
    states = [either_api.get(f"/v1/jobs/{job}").json()["state"] for job in jobs]
    assert states == ["cancelled", "queued"], "only what would use it is cancelled"
    assert either_api.get(f"/v1/collections/{collection_id}/encoders/compare").json()["items"] == []
    other = either_api.post(f"/v1/collections/{collection_id}/clusterings", json={"encoder": "mine"})
    problem(other, 404, "encoder_not_found")


@pytest.mark.embedded
def test_those_that_came_with_roost(api: TestClient) -> None:
    for one in api.get("/v1/encoders").json()["items"]:
        problem(api.get(f"/v1/encoders/{one['id']}/training"), 404, "training_not_found")
        problem(api.delete(f"/v1/encoders/{one['id']}"), 409, "encoder_builtin")
    for path in (f"/v1/encoders/{NOWHERE}/training", f"/v1/encoders/{NOWHERE}"):
        problem(api.get(path), 404, "encoder_not_found")
    problem(api.get(f"/v1/collections/{NOWHERE}/encoders/compare"), 404, "collection_not_found")


@pytest.mark.embedded
def test_from_clustering_to_the_last_file(
    running: Service, elsewhere: Resources, untrained: FinetunedEncoder, tmp_path: Path
) -> None:
    """A running service clusters and searches with it, for this collection only, and forgets it whole."""
    client, collection_id = running.client, new_collection(running.client)
    assert upload(client, collection_id, gallery(3).items()).json()["created"] == 9
    encoder_id = stored(elsewhere, collection_id, untrained, tmp_path)
    clusterings = f"/v1/collections/{collection_id}/clusterings"
    for encoder in ("mine", "efficientnet-lite0"):
        job = client.post(clusterings, json={"encoder": encoder, "k": 3}).json()
        done = running.job(job["id"])
        assert done["state"] == "succeeded", done
        made = client.get(f"/v1/clusterings/{done['result']['clustering_id']}").json()
        assert made["encoder"]["name"] == encoder
        if encoder == "mine":
            mine = made
    assert mine["encoder"]["sha256"] == untrained.sha256() and mine["images"] == 9
    path = f"/v1/collections/{collection_id}/search"
    found = client.post(path, params={"encoder": "mine", "k": 1}, files={"file": jpeg("red", 1)}).json()
    assert found["encoder"] == "mine" and found["hits"][0]["name"] == "red/0001.jpg"
    other = new_collection(client)
    for name in (str(encoder_id), "mine"):
        problem(client.post(f"/v1/collections/{other}/clusterings", json={"encoder": name}), 404, "encoder_not_found")

    blobs = running.data / "blobs" / "collections" / collection_id
    ours = {"encoders", "embeddings", "indexes", "clusterings"}
    before = {file for file in files_below(blobs) if file.relative_to(blobs).parts[0] in ours}
    assert client.delete(f"/v1/encoders/{encoder_id}").status_code == 204
    sweep = client.get("/v1/jobs", params={"collection": collection_id}).json()["items"][0]
    assert sweep["kind"] == "sweep" and running.job(sweep["id"])["state"] == "succeeded"
    problem(client.get(f"/v1/clusterings/{mine['id']}"), 404, "clustering_not_found")
    problem(client.post(path, params={"encoder": "mine"}, files={"file": jpeg()}), 404, "encoder_not_found")
    left = {file for file in files_below(blobs) if file.relative_to(blobs).parts[0] in ours}
    gone = {file.relative_to(blobs).parts[0] for file in before - left}
    assert gone == ours and not (blobs / "encoders" / str(encoder_id)).exists()
    assert len(client.get(clusterings).json()["items"]) == 1, "the other encoder's is still there, with its files"
    kept = client.post(path, params={"encoder": "efficientnet-lite0"}, files={"file": jpeg("red", 1)}).json()
    assert kept["hits"]
    with elsewhere.database.reading() as session:
        from app.clusterings import repository
        from app.embeddings import repository as embeddings

        assert embeddings.of_encoder(session, encoder_id) == repository.of_encoder(session, encoder_id) == []
