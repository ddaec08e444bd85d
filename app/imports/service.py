"""From a list of addresses to the job that fetches them; workers/jobs/fetch.py is that job."""

import json
from uuid import UUID

from sqlalchemy.orm import Session
from starlette.responses import Response

from app.collections import repository as collections_repository
from app.collections import service as collections_service
from app.db.session import now
from app.db.tables import Job
from app.errors import Forbidden
from app.idempotency import Once
from app.ids import new_id
from app.imports.allowed import AllowList
from app.jobs import ledger
from app.jobs import service as jobs_service
from app.jobs.schemas import JobOut
from app.resources import Resources
from app.settings import Settings
from app.storage.kept import removed_unless_kept

KIND = "fetch"


def accept(res: Resources, collection_id: UUID, urls: list[str], once: Once, request_id: str | None) -> Response:
    """The job. The addresses, up to 2 MB of them, go to a blob of its own, and never among its parameters."""
    _check_enabled(res.settings)
    with res.database.reading() as session:
        collections_repository.get(session, collection_id)
    key = f"{collections_service.prefix(collection_id)}/inputs/{new_id()}.json"
    with removed_unless_kept(res.storage, [key]) as keep:
        res.put_json(key, urls)
        with res.database.transaction() as session:

            def work() -> tuple[JobOut, str]:
                job = _submit(session, collection_id, key, len(urls), request_id)
                return jobs_service.shown(session, job), f"/v1/jobs/{job.id}"

            answer = once.answer(session, json.dumps(urls), 202, work)
            keep(not once.repeated)
        return answer


def _check_enabled(settings: Settings) -> None:
    if not AllowList(settings.import_hosts):
        raise Forbidden(
            "Fetching from addresses is off; set ROOST_IMPORT_HOSTS to the hosts that it is allowed from.",
            code="import_disabled",
        )


def _submit(session: Session, collection_id: UUID, key: str, count: int, request_id: str | None) -> Job:
    collection = collections_repository.get(session, collection_id, lock=True)
    collection.updated_at = now(session)
    job = ledger.submit(
        session,
        KIND,
        collection_id=collection_id,
        params={"urls": count},
        lock=collections_service.lock(collection_id),
        request_id=request_id,
    )
    job.input_key = key
    return job
