"""Quotas on both databases: never passed, whoever comes at the same time, and what is used is what there is."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import func, select, update

from app.access.caller import CALLER, Caller
from app.collections import service as collections_service
from app.collections.schemas import CollectionIn
from app.db.migrate import migrate
from app.db.session import now
from app.db.tables import LOCAL, Collection, Image, Job, Owner
from app.errors import TooMany
from app.ids import new_id
from app.images import service
from app.images.staging import Stager
from app.jobs import ledger
from app.maintenance import counters
from app.resources import Resources
from app.settings import Settings
from models.images import Header
from tests.app.calls import files_below, new_collection, new_image, problem, upload
from tests.fixtures.callers import Calling
from tests.fixtures.pictures import distinct, jpeg, zipped

PARALLEL = 200
SMALL = (16, 12)


def resources(api: TestClient) -> Resources:
    found: Resources = api.app.state.resources  # type: ignore[attr-defined]
    return found


def limit(res: Resources, owner_id: UUID = LOCAL, **quota: int | None) -> None:
    with res.database.transaction() as session:
        session.execute(update(Owner).where(Owner.id == owner_id).values(quota))


def test_parallel_uploads_at_the_last_place(either_api: TestClient) -> None:
    """In several collections at once, so that nothing but the quota keeps them from each other."""
    collections = [new_collection(either_api, f"c{n}") for n in range(8)]
    new_image(either_api, collections[0])
    res = resources(either_api)
    limit(res, quota_images=2)
    files = list(distinct(PARALLEL, size=SMALL).items())

    def send(n: int) -> tuple[int, str]:
        answer = upload(either_api, collections[n % 8], [files[n]])
        return answer.status_code, answer.json()["items"][0]["code"]

    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(send, range(PARALLEL)))
    assert sorted(answers, key=str) == [(200, "quota_exceeded")] * (PARALLEL - 1) + [(200, None)]
    assert either_api.get("/v1/quota").json()["images"] == {"used": 2, "limit": 2}
    assert list(counters.findings(res.database)) == []
    assert len(files_below(res.settings.data / "blobs")) == 2, "what was refused leaves no file"


def test_bytes_file_by_file(either_api: TestClient) -> None:
    """What does not fit is refused by name, and what comes after it and fits is taken."""
    collection_id = new_collection(either_api)
    small, large, last = jpeg("red", 1, SMALL), jpeg("red", 2, (320, 240)), jpeg("red", 3, SMALL)
    limit(resources(either_api), quota_bytes=len(small) + len(last))
    files = [("small.jpg", small), ("large.jpg", large), ("twice.jpg", large), ("last.jpg", last), ("small.jpg", small)]
    body = upload(either_api, collection_id, files).json()
    assert [item["status"] for item in body["items"]] == ["created", "rejected", "rejected", "created", "duplicate"]
    assert {item["code"] for item in body["items"][1:3]} == {"quota_exceeded"}
    used = len(small) + len(last)
    assert f"{used:,} of {used:,} bytes" in body["items"][1]["detail"]
    either_api.delete(f"/v1/images/{body['items'][0]['image_id']}")
    assert upload(either_api, collection_id, [("again.jpg", small)]).json()["created"] == 1
    assert either_api.delete(f"/v1/collections/{collection_id}").status_code == 204
    assert either_api.get("/v1/quota").json()["bytes"] == {"used": 0, "limit": used}


def test_what_can_not_fit_is_refused_before_it_is_read(either_api: TestClient) -> None:
    collection_id = new_collection(either_api)
    limit(resources(either_api), quota_bytes=1000)
    path = f"/v1/collections/{collection_id}/images"
    zip_type = {"Content-Type": "application/zip"}
    answer = either_api.post(path, content=b"no archive" * 200_000, headers=zip_type)
    assert "0 of 1,000 bytes" in problem(answer, 413, "quota_exceeded")["detail"]
    answer = either_api.post(path, content=zipped({"a.jpg": jpeg()}), headers=zip_type)
    assert answer.status_code == 202, "what may fit is looked at file by file"


def test_two_who_delete_one_image(either_api: TestClient) -> None:
    """Given back once."""
    collection_id = new_collection(either_api)
    for seed in range(6):
        image_id = new_image(either_api, collection_id, seed)
        with ThreadPoolExecutor(4) as pool:
            codes = list(pool.map(lambda one: either_api.delete(f"/v1/images/{one}").status_code, [image_id] * 4))
        assert sorted(codes) == [204, 404, 404, 404]
    assert either_api.get("/v1/quota").json()["images"]["used"] == 0


def test_a_collection_and_its_images_deleted_at_once(either_api: TestClient) -> None:
    for _ in range(4):
        collection_id = new_collection(either_api)
        files = list(distinct(4, size=SMALL).items())
        items = upload(either_api, collection_id, files).json()["items"]
        paths = [f"/v1/images/{item['image_id']}" for item in items]
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(either_api.delete, [*paths[:2], f"/v1/collections/{collection_id}", *paths[2:]]))
        assert answers[2].status_code == 204 and {one.status_code for one in answers} <= {204, 404}
    assert either_api.get("/v1/quota").json()["images"]["used"] == 0
    assert list(counters.findings(resources(either_api).database)) == []


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Resources]:
    postgres = request.param == "postgresql"
    url = request.getfixturevalue("new_postgres_url")() if postgres else None
    res = Resources.open(Settings(data=tmp_path / "data", database_url=url))
    migrate(res.database)
    yield res
    res.close()


def new_owner(res: Resources, name: str, **quota: int | None) -> UUID:
    with res.database.transaction() as session:
        owner = Owner(id=new_id(), name=name, created_at=now(session), **quota)
        session.add(owner)
        return owner.id


def test_jobs_asked_for_at_the_same_time(opened: Resources) -> None:
    owner_id = new_owner(opened, "busy", quota_jobs=4)

    def ask(kind: str = "cluster") -> UUID | None:
        before = CALLER.set(Caller(owner_id, "write"))
        try:
            with opened.database.transaction() as session:
                return ledger.submit(session, kind, collection_id=None, params={}).id
        except TooMany as refused:
            assert refused.code == "too_many_jobs" and refused.headers["Retry-After"]
            return None
        finally:
            CALLER.reset(before)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: ask(), range(40)))
    accepted = [one for one in answers if one]
    assert len(accepted) == 4
    assert ask("sweep"), "who deletes is not refused"
    with opened.database.transaction() as session:
        attempt = ledger.claim(session, accepted[0], "w", 60)
    assert ask() is None, "what runs counts too"
    with opened.database.transaction() as session:
        ledger.finish(session, accepted[0], attempt or 0, "succeeded")
    assert ask() and not ask()
    with opened.database.transaction() as session:
        owned = {"owner_id": owner_id, "created_at": now(session)}
        ledger.submit(
            session, "cluster", collection_id=None, params={}
        )  # nobody calls: a worker goes on with something
        assert session.scalar(select(func.count()).where(Job.owner_id == owned["owner_id"])) == 6


def test_too_many_jobs_over_http(either_api: TestClient) -> None:
    limit(resources(either_api), quota_jobs=1)
    with_caller = TestClient(Calling(either_api.app, Caller(LOCAL, "admin")), raise_server_exceptions=False)
    assert with_caller.post("/v1/samples", json={"name": "a", "images": 20}).status_code == 202
    answer = with_caller.post("/v1/samples", json={"name": "b", "images": 20})
    assert "1 may" in problem(answer, 429, "too_many_jobs")["detail"] and answer.headers["Retry-After"]
    names = [one["name"] for one in either_api.get("/v1/collections").json()["items"]]
    assert names == ["a"], "all or nothing"


def test_counters_as_deletions_uploads_and_refusals_come(opened: Resources) -> None:
    """Against a model: the sizes of the images that are there."""
    machine = with_owner(opened)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=6,
            stateful_step_count=15,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def with_owner(res: Resources) -> type[RuleBasedStateMachine]:
    numbers = count()

    class Counters(RuleBasedStateMachine):
        """One owner of collections that hold images; `sizes` is what the model knows of each."""

        def __init__(self) -> None:
            super().__init__()
            self.owner_id = new_owner(res, f"owner {next(numbers)}")
            self.quota: dict[str, int | None] = {"bytes": None, "images": None}
            self.sizes: dict[UUID, dict[UUID, tuple[int, int]]] = {}  # collection -> image -> (content, bytes)

        @rule()
        def new_collection(self) -> None:
            with res.database.transaction() as session:
                made = collections_service.create(session, CollectionIn(name="c"))
                made.owner_id = self.owner_id
            self.sizes[made.id] = {}

        @rule(most_bytes=st.none() | st.integers(0, 400), most_images=st.none() | st.integers(0, 8))
        def limit(self, most_bytes: int | None, most_images: int | None) -> None:
            self.quota = {"bytes": most_bytes, "images": most_images}
            limit(res, self.owner_id, quota_bytes=most_bytes, quota_images=most_images)

        @precondition(lambda self: self.sizes)
        @rule(data=st.data(), contents=st.lists(st.integers(1, 90), min_size=1, max_size=6))
        def upload(self, data: st.DataObject, contents: list[int]) -> None:
            collection_id = data.draw(st.sampled_from(list(self.sizes)))
            images = self.sizes[collection_id]
            added = self._added(collection_id, contents)
            for content, item in zip(contents, added, strict=True):
                known = {known for known, _ in images.values()}
                fits = self._fits(content)
                wanted = "duplicate" if content in known else "created" if fits else "rejected"
                assert item.status == wanted
                if item.status == "created" and item.image_id:
                    images[item.image_id] = (content, content)

        @precondition(lambda self: any(self.sizes.values()))
        @rule(data=st.data(), rejected=st.booleans())
        def delete_an_image(self, data: st.DataObject, rejected: bool) -> None:
            collection_id = data.draw(st.sampled_from([one for one, images in self.sizes.items() if images]))
            image_id = data.draw(st.sampled_from(list(self.sizes[collection_id])))
            with res.database.transaction() as session:
                if rejected:  # it goes on counting: its original is kept
                    session.execute(update(Image).where(Image.id == image_id).values(status="rejected"))
                else:
                    service.remove(session, image_id)
            if not rejected:
                del self.sizes[collection_id][image_id]

        @precondition(lambda self: self.sizes)
        @rule(data=st.data())
        def delete_a_collection(self, data: st.DataObject) -> None:
            collection_id = data.draw(st.sampled_from(list(self.sizes)))
            with res.database.transaction() as session:
                collections_service.remove(session, collection_id, None, None)
            del self.sizes[collection_id]

        @invariant()
        def counted_is_what_there_is(self) -> None:
            with res.database.reading() as session:
                owner = session.get_one(Owner, self.owner_id)
                rows = select(func.coalesce(func.sum(Image.bytes), 0), func.count()).join(
                    Collection, Collection.id == Image.collection_id
                )
                found = session.execute(rows.where(Collection.owner_id == self.owner_id)).one()
            assert (owner.used_bytes, owner.used_images) == tuple(found) == self._used()

        def _used(self) -> tuple[int, int]:
            sizes = [size for images in self.sizes.values() for _, size in images.values()]
            return sum(sizes), len(sizes)

        def _fits(self, size: int) -> bool:
            """Nothing is refused that fits when its turn comes."""
            used = dict(zip(("bytes", "images"), self._used(), strict=True))
            more = {"bytes": size, "images": 1}
            return all(most is None or used[unit] + more[unit] <= most for unit, most in self.quota.items())

        def _added(self, collection_id: UUID, contents: list[int]) -> list[service.UploadItem]:
            """Files that differ by their size, which is their content too."""
            files = [self._checked(content) for content in contents]
            with res.database.reading() as session:
                service.store(session, res.storage, collection_id, files)
            with res.database.transaction() as session:
                return service.add(session, res.storage, collection_id, files, new_id())

        def _checked(self, content: int) -> service.Checked:
            stager = Stager(res.settings.scratch, "a.jpg", 1000)
            stager.write(b"x" * content)
            return service.Checked(stager.finish(), Header("jpeg", 8, 8), new_id())

    return Counters
