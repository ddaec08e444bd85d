"""/metrics: what each number counts, on both databases."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event, select, update

from app.db.session import now
from app.db.tables import EmbeddingSet, EmbeddingShard, Encoder, Image, Job, Worker
from app.jobs import ledger
from app.metrics.images import STOPPED
from app.metrics.kept import Growth, Kept
from app.metrics.meters import Meters
from app.resources import Resources
from app.system.repository import Totals
from models.guard import Guard, Task
from tests.app.calls import new_collection, new_image
from tests.fixtures.pictures import jpeg


@pytest.fixture
def counted(either_api: TestClient) -> TestClient:
    """An application that counts anew at every scrape."""
    fresh(either_api)
    return either_api


def fresh(api: TestClient) -> None:
    state: Any = api.app.state  # type: ignore[attr-defined]
    kept: Meters = Meters(kept_s=0)
    state.meters.jobs, state.meters.images, state.totals = kept.jobs, kept.images, Totals(kept_s=0)


def resources(api: TestClient) -> Resources:
    found: Resources = api.app.state.resources  # type: ignore[attr-defined]
    return found


def samples(api: TestClient) -> dict[tuple[str, ...], float]:
    """Values by name and label values, these in the order of their labels' names."""
    answer = api.get("/metrics")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_requests_by_operation_and_status(counted: TestClient) -> None:
    collection_id = new_collection(counted)
    new_image(counted, collection_id)
    counted.get("/nothing")
    for n in range(3):
        counted.get(f"/v1/images/{n:032x}")
    found = samples(counted)
    assert found["roost_requests_total", "createCollection", "201"] == 1
    assert found["roost_requests_total", "uploadImages", "200"] == 1
    assert found["roost_requests_total", "unmatched", "404"] == 1
    assert found["roost_requests_total", "getImage", "404"] == 3, "operations, not addresses"
    assert found["roost_request_seconds_count", "createCollection"] == 1


def test_what_is_no_more_is_not_shown_for_ever(counted: TestClient) -> None:
    collection_id = new_collection(counted)
    new_image(counted, collection_id)
    before = samples(counted)
    assert before["roost_jobs", "queued"] == before["roost_images", "pending"] == 1
    assert before["roost_jobs", "dead"] == 0
    counted.delete(f"/v1/collections/{collection_id}")
    after = samples(counted)
    assert after["roost_images", "pending"] == 0
    assert (after["roost_jobs", "cancelled"], after["roost_jobs", "queued"]) == (1, 1)


def submit(res: Resources, kind: str, queue: str = "cpu", age_s: float = 0) -> Any:
    with res.database.transaction() as session:
        job = ledger.submit(session, kind, collection_id=None, params={}, queue=queue)
        job.created_at = now(session) - timedelta(seconds=age_s)
        return job.id


def run(res: Resources, job_id: Any, seconds: float, state: str, code: str | None = None) -> None:
    with res.database.transaction() as session:
        attempt = ledger.claim(session, job_id, "w", 60)
        assert attempt == 1
        ledger.finish(session, job_id, attempt, state, code=code)
        job = session.get_one(Job, job_id, populate_existing=True)
        assert job.finished_at is not None
        job.started_at = job.finished_at - timedelta(seconds=seconds)


def test_depth_and_age_of_the_queues(counted: TestClient) -> None:
    for age_s in (5, 300):
        submit(resources(counted), "cluster", "gpu", age_s)
    submit(resources(counted), "ingest")
    found = samples(counted)
    assert found["roost_queue_jobs", "cluster", "gpu"] == 2 and found["roost_queue_jobs", "ingest", "cpu"] == 1
    assert 300 <= found["roost_queue_oldest_seconds", "cluster", "gpu"] < 400
    assert found["roost_queue_oldest_seconds", "ingest", "cpu"] < 100


def test_who_waits_for_an_outage_to_end_waits_for_no_worker(counted: TestClient) -> None:
    res = resources(counted)
    for kind, code in (("cluster", "storage_full"), ("ingest", "storage_full"), ("ingest", "cache_full")):
        job_id = submit(res, kind)
        with res.database.transaction() as session:
            assert ledger.claim(session, job_id, "w", 60) == 1
            ledger.postpone(session, job_id, 1, code, "Wait.", 3600)
    submit(res, "ingest")
    behind = submit(res, "train", age_s=5000)
    with res.database.transaction() as session:
        session.get_one(Job, behind).lock = session.get_one(Job, job_id).lock
    found = samples(counted)
    assert found["roost_queue_jobs", "train", "cpu"] == 1 and found["roost_queue_oldest_seconds", "train", "cpu"] == 0
    assert found["roost_jobs_postponed", "storage_full"] == 2 and found["roost_jobs_postponed", "cache_full"] == 1
    assert found["roost_queue_jobs", "ingest", "cpu"] == 1 and ("roost_queue_jobs", "cluster", "cpu") not in found
    assert found["roost_jobs", "queued"] == 5


def test_running_jobs_by_stage(counted: TestClient) -> None:
    res = resources(counted)
    first, second = submit(res, "cluster"), submit(res, "cluster")
    with res.database.transaction() as session:
        for job_id in (first, second):
            assert ledger.claim(session, job_id, "w", 60) == 1
        ledger.progress(session, first, 1, stage="embed", done=0, total=10, unit="images")
        session.get_one(Job, first).stage_started_at = now(session) - timedelta(seconds=70)
    found = samples(counted)
    assert found["roost_jobs_running", "cluster", "cpu", "embed"] == 1
    assert found["roost_jobs_running", "cluster", "cpu", "start"] == 1
    assert 70 <= found["roost_job_stage_seconds", "cluster", "cpu", "embed"] < 170
    assert found["roost_jobs", "running"] == 2
    with res.database.transaction() as session:
        ledger.finish(session, first, 1, "succeeded")
    found = samples(counted)
    assert 70 <= found["roost_stage_seconds_sum", "cluster", "embed"] < 170
    assert found["roost_stage_seconds_count", "cluster", "embed"] == 1


def test_how_jobs_ended_and_how_long_they_took(counted: TestClient) -> None:
    res = resources(counted)
    for seconds, state, code in [
        (2.5, "succeeded", None),
        (20, "succeeded", None),
        (200, "failed", "out_of_memory"),
        (0.5, "dead", "job_crashed"),
    ]:
        run(res, submit(res, "cluster"), seconds, state, code)
    with res.database.transaction() as session:
        ledger.request_cancel(session, ledger.submit(session, "embed", collection_id=None, params={}).id)
    found = samples(counted)
    assert found["roost_jobs_ended_total", "", "cluster", "succeeded"] == 2
    assert found["roost_jobs_ended_total", "out_of_memory", "cluster", "failed"] == 1
    assert found["roost_jobs_ended_total", "", "embed", "cancelled"] == 1
    assert found["roost_job_kills_total", "memory"] == found["roost_job_kills_total", "crash"] == 1
    within = {most: found["roost_job_seconds_bucket", "cluster", most] for most in ("1.0", "3.0", "30.0", "+Inf")}
    assert within == {"1.0": 1, "3.0": 2, "30.0": 3, "+Inf": 4}
    assert found["roost_job_seconds_sum", "cluster"] == pytest.approx(223, abs=0.1)
    assert found["roost_job_seconds_count", "embed"] == 0, "it never ran"


def new_set(res: Resources, collection_id: str) -> UUID:
    with res.database.transaction() as session:
        encoder_id = session.scalars(select(Encoder.id)).first()
        made = {"collection_id": UUID(collection_id), "encoder_id": encoder_id, "sha256": "0" * 64, "dim": 4}
        found = EmbeddingSet(created_at=now(session), **made)
        session.add(found)
        session.flush()
        return found.id


def embedded(res: Resources, set_id: UUID, rows: int) -> None:
    with res.database.transaction() as session:
        session.add(EmbeddingShard(set_id=set_id, key="k", rows=rows, sha256="0" * 64))


def test_counters_of_images_never_fall(counted: TestClient) -> None:
    res = resources(counted)
    first, second = new_collection(counted), new_collection(counted)
    one, two = new_set(res, first), new_set(res, second)
    embedded(res, one, 256)
    embedded(res, two, 10)
    assert samples(counted)["roost_images_embedded_total",] == 266
    counted.delete(f"/v1/collections/{first}")
    assert samples(counted)["roost_images_embedded_total",] == 266
    embedded(res, two, 5)
    assert samples(counted)["roost_images_embedded_total",] == 271


def test_decoded_and_given_up(counted: TestClient) -> None:
    collection_id = new_collection(counted)
    ids = [new_image(counted, collection_id, seed) for seed in range(4)]
    assert samples(counted)["roost_images_decoded_total",] == 0
    ends: list[dict[str, str | None]] = [
        {"status": "ready"},
        {"status": "rejected", "error_code": "image_corrupt", "error_detail": "The file is empty. Send it again."},
        {"status": "rejected", "error_code": "image_corrupt", "error_detail": "Decoding took longer than 20 s."},
    ]
    with resources(counted).database.transaction() as session:
        for image_id, end in zip(ids, ends, strict=False):
            session.execute(update(Image).where(Image.id == UUID(image_id)).values(**end))
    found = samples(counted)
    assert found["roost_images_decoded_total",] == 3
    assert [found["roost_images", status] for status in ("pending", "ready", "rejected")] == [1, 1, 2]
    assert [found["roost_decode_kills_total", reason] for reason in ("time", "memory", "crash")] == [1, 0, 0]


def test_the_guards_own_words_are_known(tmp_path: Path) -> None:
    """The reason is read from the sentence, so the sentence must stay what it is."""
    source = tmp_path / "big.jpg"
    source.write_bytes(jpeg("red", 0, (2400, 1800)))
    with Guard(1, seconds=0.001) as guard:
        slow = guard.run(Task(source=source, target=None, name="big.jpg")).detail
    assert slow and re.fullmatch(STOPPED["time"].replace("%", ".*"), slow)
    guarding = Path(__file__).parents[2] / "models"
    words = " ".join((guarding / name).read_text() for name in ("guard.py", "guard_child.py", "images/normalise.py"))
    for said in ("The file needs too much memory. ", "The picture needs too much memory. ", "Decoding crashed ("):
        assert said in words
        assert any(re.fullmatch(text.replace("(", r"\(").replace("%", ".*"), said) for text in STOPPED.values())


def test_storage_and_workers(counted: TestClient) -> None:
    with resources(counted).database.transaction() as session:
        session.add(Worker(name="a", queues="cpu,gpu", seen_at=now(session)))
        session.add(Worker(name="b", queues="cpu", seen_at=now(session)))
        session.add(Worker(name="c", queues="cpu", seen_at=now(session) - timedelta(seconds=60)))
    new_image(counted, new_collection(counted))
    found = samples(counted)
    assert found["roost_workers", "cpu"] == 2 and ("roost_workers", "gpu") not in found
    assert found["roost_storage_used_bytes",] == len(jpeg("red", 0, (32, 24)))
    assert 0 < found["roost_storage_free_bytes",] < found["roost_storage_size_bytes",]


def test_whole_tables_are_not_counted_at_every_scrape(counted: TestClient) -> None:
    state: Any = counted.app.state  # type: ignore[attr-defined]
    kept = Meters(kept_s=3600)
    state.meters.jobs, state.meters.images, state.totals = kept.jobs, kept.images, Totals(kept_s=3600)
    samples(counted)
    statements: list[str] = []
    engine = resources(counted).database.engine
    event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    new_image(counted, new_collection(counted))
    statements.clear()
    assert samples(counted)["roost_queue_jobs", "ingest", "cpu"] == 1
    assert statements and all(" images" not in one and "shards" not in one for one in statements), statements
    jobs = [one for one in statements if "FROM jobs" in one]
    assert len(jobs) == 2 and all("WHERE jobs.state = " in one for one in jobs), "only by the index of what is not over"


def test_every_process_shows_the_same(counted: TestClient) -> None:
    """What concerns jobs and pictures comes from their rows, whoever asks."""
    res = resources(counted)
    run(res, submit(res, "cluster"), 5, "succeeded")
    collection_id = new_collection(counted)
    new_image(counted, collection_id)
    embedded(res, new_set(res, collection_id), 7)

    def read() -> dict[tuple[str, ...], float]:
        return {
            key: value for key, value in samples(counted).items() if key[0].startswith(("roost_job", "roost_image"))
        }

    first = read()
    fresh(counted)  # a process that has just started
    assert read() == first and first["roost_images_embedded_total",] == 7


def test_growth_adds_up_what_comes() -> None:
    growth: Growth[str] = Growth()
    assert growth.see({"a": 5}) == 5
    assert growth.see({"a": 3, "b": 2}) == 7
    assert growth.see({"b": 4}) == 9
    assert growth.see({"a": 1, "b": 4}) == 10, "what comes back is new"


def test_a_count_is_kept() -> None:
    numbers = iter(range(10))
    kept: Kept[int] = Kept(3600)
    assert [kept.get(lambda: next(numbers)) for _ in range(3)] == [0, 0, 0]
    anew: Kept[int] = Kept(0)
    assert [anew.get(lambda: next(numbers)) for _ in range(3)] == [1, 2, 3]
