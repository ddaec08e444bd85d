"""The process of one job as its worker holds it, forked from one that has imported what every job needs.

An interpreter and Roost's imports cost .7 s of processor time; a fork costs some milliseconds. The server of the forks
is multiprocessing's own: it begins with the worker's first job and ends with the worker and its jobs.
"""

import os
import signal
from contextlib import suppress
from multiprocessing import get_context
from uuid import UUID

from workers import child

# Each fork imports the main module once more, which is the command `roost` and all that it is made of.
IMPORTED = ["app.cli", "workers.warm"]


class JobProcess:
    """A running attempt at a job, in a session of its own. It ends itself when the process that started it is gone."""

    def __init__(self, job_id: UUID, attempt: int, environment: dict[str, str]) -> None:
        context = get_context("forkserver")
        context.set_forkserver_preload(IMPORTED)
        self._process = context.Process(target=child.forked, args=(job_id, attempt, environment))
        self._process.start()

    def wait(self, seconds: float) -> int | None:
        """Its exit code, minus the signal's number where one ended it; None while it runs."""
        self._process.join(seconds)
        return self._process.exitcode

    def ask(self) -> None:
        """To stop at its next step."""
        self._process.terminate()

    def kill(self) -> None:
        """It and all it has started."""
        if self._process.exitcode is None:
            with suppress(ProcessLookupError):  # it has no session yet
                os.killpg(self._process.pid or 0, signal.SIGKILL)
            self._process.kill()

    def end(self) -> None:
        """Kill what still runs. Where the server of the forks died, nobody knows: the job hears that we are gone."""
        self.kill()
        self._process.join()
        self._process.close()
