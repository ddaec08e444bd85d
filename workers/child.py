"""What the process of one job does once it is forked. Its parent, workers/runner.py, settles its end."""

import importlib
import os
import shutil
import signal
import sys
import threading
from multiprocessing import parent_process
from types import FrameType, ModuleType
from uuid import UUID

import structlog
from setproctitle import setproctitle
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from app import logs, tracing
from app.db.tables import Job
from app.errors import RoostError
from app.failpoints import reached
from app.jobs import ledger
from app.resources import Resources
from app.settings import Settings
from models.memory import no_memory
from workers.context import Context, Crashed, JobFailed, Stopped
from workers.outages import outage

EXIT_CRASHED = 70
EXIT_NO_ROOM = 73
EXIT_STOPPED = 75
EXIT_LEASE_LOST = 76
NICENESS = 10  # where the API shares the processors, a job takes what requests leave
log = structlog.get_logger("roost.job")


def forked(job_id: UUID, attempt: int, environment: dict[str, str]) -> None:
    """Where the process begins. Raises SystemExit with its code."""
    os.setsid()
    setproctitle(f"roost job {job_id}")
    os.environ.clear()
    os.environ.update(environment)
    sys.modules["__main__"] = ModuleType("__main__")  # processes that this one starts would import the command `roost`
    sys.exit(main(job_id, attempt))


def main(job_id: UUID, attempt: int) -> int:
    # Before torch or FAISS is loaded: where processors are shared, threads that spin while they wait made a training
    # on two of them three times slower than threads that sleep.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.nice(NICENESS)
    settings = Settings()
    logs.configure(settings)
    # An embedded worker has its queue in its own memory, and looks at the ledger when this process has ended.
    resources = Resources.open(settings, announcing=not settings.embedded)
    with resources.database.reading() as session:
        job = session.get(Job, job_id)
    if job is None or job.state != "running" or job.attempt != attempt:
        return EXIT_LEASE_LOST
    structlog.contextvars.bind_contextvars(job_id=str(job_id), kind=job.kind, request_id=job.request_id)
    folder = settings.scratch / f"{job_id}-{attempt}"
    context = Context(resources, job, folder)
    _listen(context)
    reached("child.begun")
    try:
        with tracing.job_span(job.kind, job.traceparent, **{"job.id": str(job_id), "job.attempt": attempt}):
            return _run(context)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        resources.close()


def _run(context: Context) -> int:
    """Run the job's module. What it raises with a code is the job's failure; anything unforeseen is logged as such."""
    try:
        context.folder.mkdir(parents=True, exist_ok=True)
        importlib.import_module(f"workers.jobs.{context.job.kind}").run(context)
    except Stopped:
        return EXIT_STOPPED
    except ledger.LeaseLost:
        return EXIT_LEASE_LOST
    except Exception as error:
        try:
            return _ended(context, error)
        except ledger.LeaseLost:
            return EXIT_LEASE_LOST
        except OperationalError as fault:
            log.exception("the database did not take how the job ended")
            return EXIT_NO_ROOM if outage(fault) else EXIT_CRASHED  # the parent writes that down, once it can
    return 0


def _ended(context: Context, error: Exception) -> int:
    """Write down what the error makes of the job: it waits for another turn, dies as in a crash, or has failed."""
    job = context.job
    if met := outage(error):
        log.warning("the job waits for an outage to end", code=met.code, detail=met.detail)
        shutil.rmtree(context.folder, ignore_errors=True)  # it takes room, too
        with context.database.transaction() as session:
            met.postpone(session, job.id, job.attempt, context.settings)
    elif isinstance(error, SQLAlchemyError | Crashed):  # not the job's doing: the parent sees a crash
        log.exception("the database failed, or a process of the job died; another attempt follows")
        return EXIT_CRASHED
    else:
        code, detail = _failure(error)
        with context.database.transaction() as session:
            ledger.finish(session, job.id, job.attempt, "failed", code=code, detail=detail)
    return 0


def _failure(error: Exception) -> tuple[str, str]:
    """Its code, and a sentence for people."""
    if isinstance(error, JobFailed | RoostError):
        return error.code, error.detail
    if no_memory(error):
        log.exception("memory ran out")
        return "out_of_memory", "The memory of the machine, or of its GPU, was not enough for this job."
    if isinstance(code := getattr(error, "code", None), str) and code:
        return code, str(error)
    log.exception("the job failed for a reason nobody foresaw")
    return "internal", "Something went wrong on our side; the service's log has the details."


def _listen(context: Context) -> None:
    """SIGTERM asks for a stop at the next step. With its parent, even a killed one, the job ends at once."""

    def stop(_: int, __: FrameType | None) -> None:
        context.stop.set()

    def end_with_parent() -> None:
        if parent := parent_process():
            parent.join()
            os.killpg(0, signal.SIGKILL)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()
