"""What the API does against what its OpenAPI text says, with thousands of requests that schemathesis makes of it."""

import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.parameters import ParameterLocation

from app.db.tables import LOCAL, Clustering, DuplicatePair, DuplicateScan, Job, Propagation
from app.embeddings import repository as embeddings
from app.encoders import results, service
from app.encoders.methods import METHODS
from app.ids import new_id
from app.main import create_app
from app.settings import Settings
from models.encoders.finetuned import Description
from tests.app.conftest import Sorted
from tests.app.uploads.speaking import begin

load_all_checks()
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
CHECKED = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
]  # not positive_data_acceptance: a schema can't say which cursors are ours
EXAMPLES = int(os.environ.get("ROOST_TEST_EXAMPLES", "8"))  # for each operation, of right and of wrong requests
# 412 is what tus wants for another version; 413 is the answer to a query of more than 10 KB, whatever is in it.
REFUSALS = [400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 428, 429]
CONFIG = {"checks": {"negative_data_rejection": {"expected-statuses": REFUSALS},
                     "missing_required_header": {"expected-statuses": REFUSALS}}}  # fmt: skip


@pytest.fixture
def copied(sorted_gallery: Sorted, tmp_path: Path) -> Iterator[TestClient]:
    """The API in this process, without a worker, on a copy of the sorted gallery."""
    data = sorted_gallery.service.data
    with sqlite3.connect(data / "roost.db") as source, sqlite3.connect(tmp_path / "roost.db") as target:
        source.backup(target)
    below = f"blobs/collections/{sorted_gallery.collection_id}"
    shutil.copytree(data / below, tmp_path / below)
    app = create_app(Settings(data=tmp_path, log_level="error", import_hosts="images.example.org"))
    METHODS.all()  # the first to ask for them waits for seconds, which schemathesis does not
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def finetuned(api: TestClient, collection_id: str) -> str:
    """An encoder that was fine-tuned on the collection; of its files only the page is there."""
    made = Description(
        name="mine", base="efficientnet-lite0", method="simclr", params={}, seed=0, fingerprint="a" * 64, images=12,
        architecture="tf_efficientnet_lite0", dim=1280, input_size=224, mean=(0.5,) * 3, std=(0.5,) * 3,
        licence="Apache-2.0", sha256="b" * 64, ir_sha256="c" * 64, versions={}, created_at=datetime.now(UTC),
    )  # fmt: skip
    training = {"ended": "epochs", "epochs": [{"epoch": 0, "spread": 0.9}], "curves": None}
    encoder_id, job = new_id(), Job(id=new_id(), collection_id=UUID(collection_id))
    resources = api.app.state.resources  # type: ignore[attr-defined]
    page = resources.settings.scratch / "training.html"
    page.write_text("<!doctype html>")
    resources.storage.put([(page, f"{service.key(UUID(collection_id), encoder_id)}/{page.name}")])
    with resources.database.transaction() as session:
        results.finish(
            session, job, encoder_id, made, training=training, metrics={}, recommended=False, verdict="Do not."
        )
    return str(encoder_id)


def edited(api: TestClient, clustering_id: str) -> str:
    """A correction of the clustering."""
    path, body = f"/v1/clusterings/{clustering_id}/edits", {"kind": "rename", "cluster": 0, "label": "wren"}
    return str(api.post(path, json=body, headers={"If-Match": "*"}).json()["id"])


def suggested(api: TestClient, clustering_id: str) -> str:
    """The clustering, as if its k had been "auto"."""
    one = {"k": 3, "modularity": 0.6, "silhouette": 0.4, "davies_bouldin": 1.2, "balance": 1.0, "stability": None}
    with api.app.state.resources.database.transaction() as session:  # type: ignore[attr-defined]
        row = session.get_one(Clustering, UUID(clustering_id))
        row.suggestions = {"k": 3, "suggested": [one], "curve": [one]}
    return clustering_id


def propagated(api: TestClient, clustering_id: str) -> str:
    """Names spread to no image: only the row is there."""
    propagation_id = new_id()
    metrics = {"images": 0, "given": 0, "unknown": 0, "labels": [], "estimated": None, "temperature": 1.0}
    with api.app.state.resources.database.transaction() as session:  # type: ignore[attr-defined]
        session.add(
            Propagation(
                id=propagation_id, clustering_id=UUID(clustering_id), complete=True, job_id=new_id(),
                params={"from": None, "clusters": {}, "unknown_below": 0.5, "seed": 0},
                metrics=metrics | {"novelty": False}, created_at=datetime.now(UTC),
            )
        )  # fmt: skip
    return str(propagation_id)


def audited(api: TestClient, clustering_id: str) -> str:
    answer = api.post(f"/v1/clusterings/{clustering_id}/clusters/0/audits", json={"images": 2})
    return str(answer.json()["id"])


def searched(api: TestClient, gallery: Sorted) -> str:
    """An image that a search for near-duplicates found to have the pixels of another one."""
    first, second = (UUID(image["id"]) for image in gallery.images[:2])
    with api.app.state.resources.database.transaction() as session:  # type: ignore[attr-defined]
        embedding_set = embeddings.newest(session, UUID(gallery.collection_id))
        assert embedding_set
        scan = DuplicateScan(
            id=new_id(), collection_id=embedding_set.collection_id, set_id=embedding_set.id, images=12,
            newest_shard=new_id(), job_id=new_id(), created_at=datetime.now(UTC),
        )  # fmt: skip
        session.add(scan)
        session.flush()
        session.add(DuplicatePair(scan_id=scan.id, first_id=first, second_id=second, kind="exact", similarity=1.0))
    return str(first)


@pytest.fixture
def there(copied: TestClient, sorted_gallery: Sorted) -> dict[str, Any]:
    """For each name in a path one of something that is there."""
    return {
        "n": 0,
        "collection_id": sorted_gallery.collection_id,
        "image_id": searched(copied, sorted_gallery),
        "clustering_id": suggested(copied, sorted_gallery.clustering["id"]),
        "job_id": sorted_gallery.clustering["job_id"],
        "encoder_id": finetuned(copied, sorted_gallery.collection_id),
        "other_id": sorted_gallery.clustering["id"],
        "edit_id": edited(copied, sorted_gallery.clustering["id"]),
        "propagation_id": propagated(copied, sorted_gallery.clustering["id"]),
        "owner_id": str(LOCAL),
        "audit_id": audited(copied, sorted_gallery.clustering["id"]),
        "upload_id": begin(copied, sorted_gallery.collection_id, 1000).rpartition("/")[2],
    }


def calls(api: TestClient) -> list[Any]:
    """Every operation that needs no worker; those that destroy come last, the collection itself at the end."""
    config = schemathesis.Config.from_dict(CONFIG)
    schema = schemathesis.openapi.from_asgi("/openapi.json", api.app, config=config)
    found = [result.ok() for result in schema.exclude(operation_id="readiness").get_all_operations()]
    last = ("DELETE /v1/collections/{collection_id}", "POST /v1/uploads/{upload_id}")  # which may be a DELETE too
    return sorted(found, key=lambda one: (one.method == "delete" or one.label in last, *map(one.label.__eq__, last)))


def check(operation: Any, mode: Any, ids: dict[str, Any], answers: Counter[tuple[str, int]]) -> None:
    checks = [CHECKS.get_one(name) for name in CHECKED]

    @hypothesis_settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        if not case.meta.is_negative_at(ParameterLocation.PATH):  # or a 404 would hide that nobody looks at the rest
            case.path_parameters |= {name: ids[name] for name in ids.keys() & case.path_parameters.keys()}
        response = case.call()
        answers[operation.label, response.status_code] += 1
        case.validate_response(response, checks=checks)

    run()


@pytest.mark.embedded
def test_what_the_text_allows(copied: TestClient, there: dict[str, Any]) -> None:
    """Requests of the right form on things that are there."""
    answers: Counter[tuple[str, int]] = Counter()
    for operation in calls(copied):
        check(operation, schemathesis.GenerationMode.POSITIVE, there, answers)
    print(f"{sum(answers.values())} requests as the text allows")
    good = {label for label, status in answers if status < 400}
    assert good >= {label for label, _ in answers} - {
        "GET /v1/jobs/{job_id}/report",  # a clustering's job has none
        "GET /v1/jobs/{job_id}/training",
        "POST /v1/clusterings/{clustering_id}/evaluations",  # no label that was made up belongs to an image
        "POST /v1/collections/{collection_id}/search",  # nor is a picture made up that easily
        "PATCH /v1/collections/{collection_id}",  # nor an ETag
        "PATCH /v1/owners/{owner_id}",
        "POST /v1/clusterings/{clustering_id}/edits",
        "POST /v1/clusterings/{clustering_id}/undo",
        "POST /v1/clusterings/{clustering_id}/redo",
        "PATCH /v1/audits/{audit_id}",
        "POST /v1/clusterings/{clustering_id}/propagate",  # nor images that are named
        "POST /v1/uploads",  # nor what Upload-Metadata says
        "GET /v1/uploads",  # nor which collection
        "PATCH /v1/uploads/{upload_id}",  # nor the offset
        "POST /v1/uploads/{upload_id}",
        "POST /v1/session",  # nor a key: there are none, and the first is made by command
        "POST /v1/keys",
        "GET /v1/keys/{key_id}",
        "DELETE /v1/keys/{key_id}",
        "POST /v1/collections/{collection_id}/encoders",  # twelve images are too few
    }, answers


@pytest.mark.embedded
def test_what_the_text_does_not_allow(copied: TestClient, there: dict[str, Any]) -> None:
    """Requests of the wrong form on things that are there, where it is not the path that is wrong."""
    answers: Counter[tuple[str, int]] = Counter()
    for operation in calls(copied):
        if operation.label not in (
            "GET /v1/algorithms",
            "GET /v1/methods",
            "GET /v1/quota",
            "GET /v1/system",
            "GET /v1/me",
            "DELETE /v1/session",
            "GET /healthz",
            "GET /metrics",
            "OPTIONS /v1/uploads",
        ):  # nothing to do wrong
            check(operation, schemathesis.GenerationMode.NEGATIVE, there, answers)
    print(f"{sum(answers.values())} requests as the text does not allow")
    assert sum(count for (_, status), count in answers.items() if status >= 400) > 150
