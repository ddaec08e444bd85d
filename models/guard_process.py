"""The parent's side of one guarded child: start it, ask it, watch the clock, replace it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# A loaded machine may need a while to start Python; a child that has not answered by then is broken.
START_SECONDS = 60.0
MAX_ANSWER_BYTES = 65_536

_ROOT = Path(__file__).parents[1]
# Passwords stand in environment variables; a process that reads hostile bytes inherits none of them.
_INHERITED = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
# glibc gives a picture's buffers back to the kernel after every task and faults them in again for the next (410 page
# faults, a fifth of the time of a small JPEG). Keeping up to 64 MB avoids that.
_KEEP_BUFFERS = {"MALLOC_TRIM_THRESHOLD_": str(64 << 20), "MALLOC_MMAP_THRESHOLD_": str(32 << 20)}


class ChildDied(Exception):
    """reason: the signal's name ("SIGSEGV") or "exit status 1"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ChildTooSlow(Exception):
    """The child was killed: its answer took longer than `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer within {seconds:g} s")
        self.seconds = seconds


class ChildUnavailable(RuntimeError):
    """A child ends before it is ready: the installation is broken, or memory_mb too small for the libraries."""


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """memory_mb: address space. seconds: processor time, and wall-clock time, of one task."""

    memory_mb: int
    seconds: float


class GuardedProcess:
    """One child after another, started when first asked. One thread uses it at a time; any thread may kill it."""

    def __init__(self, limits: ChildLimits) -> None:
        self.tasks = 0
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline = -1

    @property
    def pid(self) -> int | None:
        """Of the child that lives now, if any."""
        process = self._process
        return process.pid if process else None

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send one task and wait for its answer. Raises ChildTooSlow, ChildDied, ChildUnavailable."""
        process = self._process or self._start()
        self.tasks += 1
        try:
            _send(process, request)
            return _receive(process, self._limits.seconds)
        except TimeoutError:
            self.stop()
            raise ChildTooSlow(self._limits.seconds) from None
        except (EOFError, BrokenPipeError, ValueError) as error:
            reason = _end(process)
            self.stop()
            if reason == "SIGXCPU":
                raise ChildTooSlow(self._limits.seconds) from error
            raise ChildDied(reason) from error

    def kill(self) -> None:
        """End the child at once, from any thread; a task under way raises ChildDied."""
        process = self._process
        if process is not None:
            process.kill()

    def stop(self) -> None:
        """End the child and give its pipes back; the next task starts a new one."""
        process, self._process = self._process, None
        self.tasks = 0
        if process is None:
            return
        process.kill()
        process.wait()
        os.close(self._lifeline)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def _start(self) -> subprocess.Popen[bytes]:
        held_by_child, self._lifeline = os.pipe()
        limits = (str(self._limits.memory_mb), str(self._limits.seconds), str(held_by_child))
        try:
            self._process = subprocess.Popen(
                # -P: a gallery may lie in the working directory, and hold a file named numpy.py.
                [sys.executable, "-P", "-W", "ignore", "-m", "models.guard_child", *limits],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=_environment(),
                pass_fds=(held_by_child,),
                start_new_session=True,  # Ctrl-C is for the parent, which ends its children in order
            )
        except OSError:
            os.close(self._lifeline)
            raise
        finally:
            os.close(held_by_child)
        self._await_ready(self._process)
        return self._process

    def _await_ready(self, process: subprocess.Popen[bytes]) -> None:
        try:
            _receive(process, START_SECONDS)
        except (TimeoutError, EOFError, ValueError) as error:
            reason = _end(process)
            self.stop()
            raise ChildUnavailable(f"a decoding process ended before it was ready: {reason}") from error


def _send(process: subprocess.Popen[bytes], request: dict[str, Any]) -> None:
    assert process.stdin is not None
    message = memoryview(json.dumps(request).encode() + b"\n")
    while message:
        message = message[process.stdin.write(message) :]


def _receive(process: subprocess.Popen[bytes], seconds: float) -> dict[str, Any]:
    """One line of JSON. Raises TimeoutError, EOFError, ValueError (not JSON, or endless)."""
    assert process.stdout is not None
    deadline = time.monotonic() + seconds
    ready = select.poll()
    ready.register(process.stdout, select.POLLIN)
    line = b""
    while not line.endswith(b"\n"):
        remaining = deadline - time.monotonic()
        if remaining <= 0 or not ready.poll(remaining * 1000):
            raise TimeoutError
        part = os.read(process.stdout.fileno(), MAX_ANSWER_BYTES)
        if not part:
            raise EOFError
        line += part
        if len(line) > MAX_ANSWER_BYTES:
            raise ValueError("the answer is too long")
    answer: dict[str, Any] = json.loads(line)
    return answer


def _end(process: subprocess.Popen[bytes]) -> str:
    """Why a child that answers no more has ended: the signal's name, or its exit status."""
    try:
        status = process.wait(timeout=1)
    except subprocess.TimeoutExpired:
        return "no readable answer"
    return signal.Signals(-status).name if status < 0 else f"exit status {status}"


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {**kept, **_ONE_THREAD, **_KEEP_BUFFERS, "PYTHONPATH": str(_ROOT)}
