"""/v1/samples"""

from fastapi import APIRouter, Response

from app.deps import RequestId, WriteSession
from app.idempotency import OnceKey
from app.jobs import service as jobs_service
from app.jobs.schemas import JobOut
from app.problems import responses
from app.samples import service
from app.samples.schemas import SampleIn

router = APIRouter(prefix="/v1/samples", tags=["samples"])


@router.post(
    "",
    status_code=202,
    response_model=JobOut,
    operation_id="createSample",
    responses=responses(409, 422, 503),
)
def create(body: SampleIn, session: WriteSession, once: OnceKey, request_id: RequestId) -> Response:
    """Make a collection of drawn pictures to try things on. A job draws them; job.result as an archive's."""

    def work() -> tuple[JobOut, str]:
        job = service.create(session, body, request_id)
        return jobs_service.shown(session, job), f"/v1/jobs/{job.id}"

    return once.answer(session, body.model_dump_json(), 202, work)
