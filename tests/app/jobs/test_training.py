"""GET /v1/jobs/{id}/training: the epochs of a fine-tuning as they end."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient

from app.db.session import Database
from app.db.tables import Encoder
from app.ids import new_id
from app.jobs import ledger, training
from tests.app.calls import new_collection, problem, upload
from tests.fixtures.pictures import jpeg


def database(api: TestClient) -> Database:
    found: Database = api.app.state.resources.database  # type: ignore[attr-defined]
    return found


def asked(api: TestClient) -> dict[str, Any]:
    collection_id = new_collection(api)
    upload(api, collection_id, [(f"{seed}.jpg", jpeg("red", seed, (32, 24))) for seed in range(32)])
    body = {"method": "simclr", "params": {"epochs": 3}}
    job: dict[str, Any] = api.post(f"/v1/collections/{collection_id}/encoders", json=body).json()
    return job


def keep(api: TestClient, job_id: str, *epochs: float, loss: float = 1.0) -> None:
    for epoch in epochs:
        with database(api).transaction() as session:
            training.keep(session, UUID(job_id), {"epoch": epoch, "loss": loss, "rankme": None})


def end(api: TestClient, job_id: str, state: str, **how: Any) -> None:
    with database(api).transaction() as session:
        attempt = ledger.claim(session, UUID(job_id), "test", 60)
        assert attempt
        ledger.finish(session, UUID(job_id), attempt, state, **how)


def test_epochs_as_they_end(either_api: TestClient) -> None:
    job = asked(either_api)
    path = f"/v1/jobs/{job['id']}/training"
    empty = {"job_id": job["id"], "state": "queued", "method": "simclr", "planned": 3, "encoder_id": None}
    assert either_api.get(path).json() == empty | {"epochs": []}
    keep(either_api, job["id"], 0.0, 1.0)
    assert either_api.get(path).json() == empty | {
        "epochs": [{"epoch": epoch, "loss": 1.0, "rankme": None} for epoch in (0, 1)]
    }


def test_an_attempt_that_repeats_epochs_replaces_them(either_api: TestClient) -> None:
    job = asked(either_api)
    keep(either_api, job["id"], 0.0, 1.0, 2.0)
    keep(either_api, job["id"], 1.0, loss=0.5)
    epochs = either_api.get(f"/v1/jobs/{job['id']}/training").json()["epochs"]
    assert [(one["epoch"], one["loss"]) for one in epochs] == [(0, 1.0), (1, 0.5)]


def test_a_training_that_collapsed_shows_how(either_api: TestClient) -> None:
    job = asked(either_api)
    keep(either_api, job["id"], 0.0, 1.0, 2.0)
    end(either_api, job["id"], "failed", code="collapsed", detail="The spread fell.")
    found = either_api.get(f"/v1/jobs/{job['id']}/training").json()
    assert found["state"] == "failed" and found["encoder_id"] is None
    assert [one["epoch"] for one in found["epochs"]] == [0, 1, 2]


def test_a_training_from_before_has_what_its_encoder_has(either_api: TestClient) -> None:
    job = asked(either_api)
    made = Encoder(
        id=new_id(), name="mine", origin="finetuned", params={}, dim=8, collection_id=UUID(job["collection_id"]),
        training={"ended": "epochs", "epochs": [{"epoch": 0, "spread": 0.9}], "curves": None},
        created_at=datetime.now(UTC),
    )  # fmt: skip
    with database(either_api).transaction() as session:
        session.add(made)
    end(either_api, job["id"], "succeeded", result={"encoder_id": str(made.id)})
    found = either_api.get(f"/v1/jobs/{job['id']}/training").json()
    assert found["encoder_id"] == str(made.id) and found["epochs"] == [{"epoch": 0, "spread": 0.9}]
    with database(either_api).transaction() as session:
        session.delete(session.get_one(Encoder, made.id))
    found = either_api.get(f"/v1/jobs/{job['id']}/training").json()
    assert found["encoder_id"] is None and found["epochs"] == []


def test_other_jobs_have_no_curves(shared_api: TestClient) -> None:
    job = shared_api.post("/v1/samples", json={"images": 20}).json()
    problem(shared_api.get(f"/v1/jobs/{job['id']}/training"), 409, "job_not_training")
