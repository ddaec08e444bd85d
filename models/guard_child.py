"""The child's side of the guard: `python -m models.guard_child MEMORY_MB SECONDS LIFELINE` decodes what it is told to.

Reads one JSON task a line on standard input, answers one JSON line a task on standard output, ends when the input does.
Pixels never pass through the pipes: the working copy is written to the path in the task.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import math
import os
import resource
import sys
from pathlib import Path
from typing import Any, BinaryIO

from models.images.normalise import WorkingCopy, normalise
from models.images.rejection import ImageRejected

MAX_OPEN_FILES = 64
MAX_WRITTEN_BYTES = 64 << 20


def main(memory_mb: int, seconds: float, lifeline: int) -> None:
    die_with_parent(lifeline)
    answers = os.fdopen(os.dup(1), "wb")
    limit_resources(memory_mb)
    reply(answers, {"ready": True})
    silence()
    for line in sys.stdin.buffer:
        allow_processor_time(seconds)
        reply(answers, work(json.loads(line)))


def work(request: dict[str, Any]) -> dict[str, Any]:
    """The answer to a task: the picture's fields, code and detail, or errno and filename of a failed read or write."""
    try:
        data = Path(request["source"]).read_bytes()
        copy = normalise(data, request["name"], request["size"], request["part"])
        if request["target"] is not None:
            Path(request["target"]).write_bytes(copy.jpeg)
    except ImageRejected as rejected:
        return {"code": rejected.code, "detail": rejected.detail}
    except MemoryError:
        return {"code": "image_too_large", "detail": "The file needs too much memory. Send a smaller version."}
    except OSError as error:
        return {"errno": error.errno or errno.EIO, "filename": str(error.filename or request["source"])}
    return fields(copy, data)


def fields(copy: WorkingCopy, data: bytes) -> dict[str, Any]:
    return {
        "format": copy.format,
        "width": copy.width,
        "height": copy.height,
        "taken_at": copy.taken_at.isoformat() if copy.taken_at else None,
        "camera": copy.camera,
        "shot": copy.shot,
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def reply(answers: BinaryIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()


def die_with_parent(lifeline: int) -> None:
    """Nothing is ever written to this pipe: its only event is that the parent, which holds the other end, is gone.

    The kernel then sends SIGIO, and Linux ends the process, even in the middle of a decoder that never returns to
    Python. (PR_SET_PDEATHSIG would fire when the parent's *thread* ends.) Elsewhere the end of the input has to do.
    """
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | fcntl.FASYNC)


def limit_resources(memory_mb: int) -> None:
    limit(resource.RLIMIT_AS, memory_mb << 20)
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_NOFILE, MAX_OPEN_FILES)
    limit(resource.RLIMIT_FSIZE, MAX_WRITTEN_BYTES)


def limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def allow_processor_time(seconds: float) -> None:
    """Move the soft limit so that the next task may use that much more; the kernel then sends SIGXCPU."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = math.ceil(used.ru_utime + used.ru_stime + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def silence() -> None:
    """Decoders print whatever a hostile file makes them say; from here on nobody has to read it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
