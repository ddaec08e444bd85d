"""Collecting beside people who upload: at whatever moment a picture is acknowledged, its original stays.

With no grace at all, so that what holds here rests on the order of things, and not on a time that is long enough.
"""

import hashlib
import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.db.tables import Job
from app.images import service
from app.images.staging import Staged
from app.jobs import ledger
from app.maintenance.collect import collect
from tests.app.maintenance.conftest import Kept, ready
from tests.fixtures.pictures import jpeg

LATER_S = 0.02  # clocks of file systems tick every few milliseconds


class Upload:
    """One picture: stored first, then committed, as a request or an attempt at a job does it."""

    def __init__(self, kept: Kept, number: int, input_key: str | None = None) -> None:
        self.res, self.collection_id = kept.res, ready(kept).collection_id
        self.content = jpeg() + number.to_bytes(8)
        with self.res.database.transaction() as session:
            self.job = ledger.submit(session, "ingest", collection_id=self.collection_id, params={})
            self.job.input_key = input_key
        self.file = self.checked()

    def checked(self) -> service.Checked:
        """The file, anew in scratch, with the id that this job gives it."""
        path = self.res.settings.scratch / f"{self.job.id}-1"
        path.write_bytes(self.content)
        sha256 = hashlib.sha256(self.content).hexdigest()
        found = service.check(Staged("a.jpg", path, sha256, len(self.content), member=0), self.job.id)
        assert isinstance(found, service.Checked)
        return found

    def store(self) -> None:
        with self.res.database.reading() as session:
            service.store(session, self.res.storage, self.collection_id, [self.file])

    def commit(self) -> None:
        with self.res.database.transaction() as session:
            service.add(session, self.res.storage, self.collection_id, [self.file], self.job.id)
            session.get_one(Job, self.job.id).state = "succeeded"

    def kept(self) -> bool:
        return self.res.storage.exists(*service.keys(self.collection_id, [self.file]))


def at_step(kept: Kept, step: int, act: Callable[[], None], patched: pytest.MonkeyPatch) -> Iterator[int]:
    """Have `act` called once, before the n-th look at rows or files; what is iterated counts those looks."""
    looks = itertools.count()

    def before(owner: object, name: str) -> None:
        call = getattr(owner, name)

        def noted(*args: Any, **more: Any) -> Any:
            if next(looks) == step:
                time.sleep(LATER_S)
                act()
            return call(*args, **more)

        patched.setattr(owner, name, noted)

    before(kept.res.database, "reading")
    for name in ("keys", "stat", "delete"):
        before(kept.res.storage, name)
    return looks


def collected_meanwhile(kept: Kept, step: int, act: Callable[[], None]) -> bool:
    """Whether `act` was called while there was something left to do."""
    with pytest.MonkeyPatch.context() as patched:
        looks = at_step(kept, step, act, patched)
        collect(kept.res, 0, dry_run=False)
        return next(looks) > step


def stays_at_any_moment(kept: Kept, made: Callable[[int], Upload]) -> None:
    """Another upload for each look of a collection, stored and committed before that look."""
    for step in itertools.count():
        upload = made(step)

        def whole(upload: Upload = upload) -> None:
            upload.file = upload.checked()
            upload.store()
            upload.commit()

        if not collected_meanwhile(kept, step, whole):
            break
        assert upload.kept(), f"step {step}"
    assert step > 5


def test_an_upload_at_any_moment_stays(kept: Kept) -> None:
    stays_at_any_moment(kept, lambda step: Upload(kept, step))


def test_what_an_attempt_stored_long_ago_stays_for_the_next(kept: Kept) -> None:
    """A member of an archive gets the same key in each attempt: the second finds the old blob of the first."""

    def stored(step: int) -> Upload:
        upload = Upload(kept, step, "archives/gone.zip")
        upload.store()
        time.sleep(LATER_S)
        return upload

    stays_at_any_moment(kept, stored)


def test_what_a_job_that_is_over_left_goes(kept: Kept) -> None:
    upload = Upload(kept, 0, "archives/gone.zip")
    upload.store()
    with kept.res.database.transaction() as session:
        ledger.request_cancel(session, upload.job.id)
    time.sleep(LATER_S)
    assert len(collect(kept.res, 0, dry_run=False).blobs) == 1 and not upload.kept()
