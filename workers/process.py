"""The process of one job as its worker holds it, forked from one that has imported what every job needs.

An interpreter and Roost's imports cost .7 s of processor time; a fork costs some milliseconds. The server of the forks
is multiprocessing's own: it begins with the worker's first job and ends with the worker and its jobs.
"""

import os
import signal
import threading
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import wait
from uuid import UUID

from workers import child

# Each fork imports the main module once more, which is the command `roost` and all that it is made of.
IMPORTED = ["app.cli", "workers.warm"]
IMPORTED_FOR_S3 = ["workers.warm_s3"]
# How a process ended can be read once, and starting one reads it of all others that have.
_LOOKING = threading.Lock()


class JobProcess:
    """A running attempt at a job, in a session of its own. It ends itself when the process that started it is gone."""

    def __init__(self, job_id: UUID, attempt: int, environment: dict[str, str]) -> None:
        context = get_context("forkserver")
        in_s3 = environment.get("ROOST_STORAGE_URL", "").startswith("s3:")
        context.set_forkserver_preload(IMPORTED + IMPORTED_FOR_S3 if in_s3 else IMPORTED)
        self._process = context.Process(target=child.forked, args=(job_id, attempt, environment))
        with _LOOKING:
            self._process.start()
        assert self._process.pid is not None, "it has been started"
        self._pid = self._process.pid

    def wait(self, seconds: float) -> int | None:
        """Its exit code, minus the signal's number where one ended it; None while it runs."""
        wait([self._process.sentinel], seconds)
        with _LOOKING:
            return self._process.exitcode

    def ask(self) -> None:
        """To stop at its next step."""
        self._process.terminate()

    def kill(self) -> None:
        """It and all it has started."""
        if self.wait(0) is None:
            with suppress(ProcessLookupError):  # it has no session yet
                os.killpg(self._pid, signal.SIGKILL)
            self._process.kill()

    def end(self) -> None:
        """Kill what still runs. Where the server of the forks died, nobody knows: the job hears that we are gone."""
        self.kill()
        wait([self._process.sentinel])
        with _LOOKING:
            self._process.join()
            self._process.close()
