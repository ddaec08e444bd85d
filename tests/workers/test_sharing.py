"""Two workers embed one collection: real processes, one of them killed on the way."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import func, select

from app.db.tables import Embedding, EmbeddingPart, EmbeddingSet, Image, Job
from app.embeddings import repository as embeddings
from app.images.service import working_key
from app.maintenance.verify import verify
from app.resources import Resources
from app.settings import Settings
from models import registry
from models.embedding import embed
from models.engines import open_engine
from tests.fixtures.pictures import KINDS, jpeg
from tests.fixtures.services import Service, environment
from tests.fixtures.watching import wait_for
from tests.test_main_job import collection, upload_archive

PICTURES = 448  # seven parts: two for the leader, and with the rest a helper is worth it


class Shared:
    """A service with two workers, and its database from outside."""

    def __init__(self, service: Service, resources: Resources, armed: Path) -> None:
        self.service, self.resources, self.armed = service, resources, armed

    def job(self, job_id: str) -> Job:
        with self.resources.database.reading() as session:
            return session.get_one(Job, UUID(job_id))

    def helpers(self) -> list[Job]:
        with self.resources.database.reading() as session:
            return list(session.scalars(select(Job).where(Job.kind == "embed").order_by(Job.id)))

    def helper_at_work(self) -> Job | None:
        """Once it has published something."""
        return next((job for job in self.helpers() if job.done), None)

    def kill_worker_of(self, job: Job) -> None:
        pid = int(str(job.worker).rpartition(":")[2])
        worker = next(process for process in self.service.processes if process.pid == pid)
        os.kill(pid, signal.SIGKILL)
        worker.wait()
        self.service.processes.remove(worker)

    def upload(self) -> str:
        """Pictures of many sizes, so that no two have one vector."""
        kinds = list(KINDS)
        files = {f"{n:04}.jpg": jpeg(kinds[n % 3], n, (130 + n % 40, 120)) for n in range(PICTURES)}
        collection_id = collection(self.service)
        assert upload_archive(self.service, collection_id, files)["result"]["created"] == PICTURES
        return collection_id

    def slow_leader(self, seconds: int) -> None:
        """Whoever stores a shard first waits, so that both are at it, however fast or busy the machine is."""
        (self.armed / "embed.stored").write_text(f"=sleep:{seconds}")

    def cluster(self, collection_id: str) -> str:
        answer = self.service.client.post(f"/v1/collections/{collection_id}/clusterings", json={"k": 3})
        return str(answer.json()["id"])


@pytest.fixture
def shared(new_postgres_url: Callable[[], str], redis_port: int, tmp_path: Path) -> Iterator[Shared]:
    database, armed = new_postgres_url(), tmp_path / "armed"
    armed.mkdir()
    broker = f"redis://127.0.0.1:{redis_port}/7"
    servers = {"ROOST_DATABASE_URL": database, "ROOST_BROKER_URL": broker, "ROOST_FAILPOINT": f"{armed}/"}
    data = tmp_path / "data"
    service = Service(data, environment(data, **servers), workers=2).start()
    resources = Resources.open(Settings(data=data, database_url=database, broker_url=broker))
    wait_for(lambda: len(service.client.get("/v1/system").json()["workers"]) == 2)
    yield Shared(service, resources, armed)
    resources.close()
    for process in service.processes:
        process.kill()


def check_vectors(shared: Shared, collection_id: str) -> None:
    """Each image has one vector, the one that its working copy gives here; no part, file or index is left over."""
    res = shared.resources
    with res.database.reading() as session:
        made = session.scalars(select(EmbeddingSet).where(EmbeddingSet.collection_id == UUID(collection_id))).one()
        ids = list(
            session.scalars(select(Image.id).where(Image.collection_id == UUID(collection_id)).order_by(Image.id))
        )
        assert session.scalar(select(func.count()).select_from(Embedding)) == len(ids) == PICTURES
        assert session.scalar(select(func.count()).select_from(EmbeddingPart)) == 0
        vectors = embeddings.vectors(session, res.storage, made.id, ids)
    engine = open_engine(registry.load("encoders", "efficientnet-lite0"), cache=res.settings.encoder_cache)
    some = slice(0, None, 7)
    paths = [res.storage.local(working_key(UUID(collection_id), one)) for one in ids[some]]
    np.testing.assert_allclose(np.concatenate(list(embed(paths, engine))), vectors[some], atol=1e-5)
    assert verify(res, 0, lambda done, total: None) == []


@pytest.mark.slow
def test_the_other_goes_on_where_the_leaders_worker_is_killed(shared: Shared) -> None:
    collection_id = shared.upload()
    shared.slow_leader(60)
    job_id = shared.cluster(collection_id)
    helper = wait_for(shared.helper_at_work, 120)
    leader = shared.job(job_id)
    assert leader.worker != helper.worker and helper.owner_id == leader.owner_id
    assert shared.service.client.get(f"/v1/collections/{collection_id}").json()["job_id"] == job_id
    shared.kill_worker_of(leader)
    done = shared.service.job(job_id, 300)
    assert (done["state"], done["attempt"]) == ("succeeded", 2), done
    check_vectors(shared, collection_id)


@pytest.mark.slow
def test_the_leader_goes_on_where_a_helpers_worker_is_killed(shared: Shared) -> None:
    collection_id = shared.upload()
    shared.slow_leader(20)
    job_id = shared.cluster(collection_id)
    shared.kill_worker_of(wait_for(shared.helper_at_work, 120))
    done = shared.service.job(job_id, 300)
    assert (done["state"], done["attempt"]) == ("succeeded", 1), done
    check_vectors(shared, collection_id)


@pytest.mark.slow
def test_nobody_is_killed(shared: Shared) -> None:
    collection_id = shared.upload()
    shared.slow_leader(20)
    done = shared.service.job(shared.cluster(collection_id), 300)
    assert (done["state"], done["attempt"]) == ("succeeded", 1), done
    check_vectors(shared, collection_id)
    [helper] = shared.helpers()
    wait_for(lambda: shared.job(str(helper.id)).state == "succeeded")
    assert 0 < shared.job(str(helper.id)).result["embedded"] < PICTURES


@pytest.mark.slow
def test_who_cancels_the_leader_stops_its_helpers(shared: Shared) -> None:
    collection_id = shared.upload()
    shared.slow_leader(20)
    job_id = shared.cluster(collection_id)
    helper = wait_for(shared.helper_at_work, 120)
    shared.service.client.post(f"/v1/jobs/{job_id}/cancel")
    assert shared.service.job(job_id)["state"] == "cancelled"
    assert shared.service.job(str(helper.id))["state"] == "succeeded"

    def parts() -> int:
        with shared.resources.database.reading() as session:
            return int(session.execute(select(func.count()).select_from(EmbeddingPart)).scalar_one())

    wait_for(lambda: parts() == 0)
    assert shared.service.job(shared.cluster(collection_id), 300)["state"] == "succeeded"
    check_vectors(shared, collection_id)
