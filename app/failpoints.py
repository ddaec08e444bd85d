"""Named points between two steps, at which a test ends this process: whatever was promised before must hold after.

Nothing but ROOST_FAILPOINT makes a point do anything. Its forms:

    upload.stored           SIGKILL to this process when it gets there
    upload.stored:3         the third time this process gets there
    upload.stored=error     raise FailPoint instead; =sleep:5 waits five seconds, then goes on
    /some/folder            each file in it arms the point of its name, its content is the rest (":3=error"). Who gets
                            there takes the file away first, so that it happens once in all processes, and a running
                            service can be armed.

docs/fail-points.md lists the points.
"""

import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path

_ARMED = os.environ.get("ROOST_FAILPOINT")
_times: Counter[str] = Counter()
_counting = threading.Lock()


class FailPoint(RuntimeError):
    """The error of a point that is armed with `=error`."""


def reached(point: str) -> None:
    """Do what the point is armed for; in every run but a test's, nothing."""
    if _ARMED is not None:
        _look(point, _ARMED)


def _look(point: str, armed: str) -> None:
    file = Path(armed, point) if "/" in armed else None
    try:
        rest = armed.removeprefix(point) if file is None else file.read_text().strip()
    except FileNotFoundError:
        return
    when, _, action = rest.partition("=")
    if (file is None and not armed.startswith(point)) or (when and not when.startswith(":")):
        return  # it is another's
    with _counting:
        _times[point] += 1
        due = _times[point] == int(when[1:] or 1)
    if due and (file is None or _taken(file)):
        _act(point, action)


def _taken(file: Path) -> bool:
    try:
        file.unlink()
    except FileNotFoundError:  # another process was quicker
        return False
    return True


def _act(point: str, action: str) -> None:
    if action == "error":
        raise FailPoint(f"fail point {point}")
    if action.startswith("sleep:"):
        time.sleep(float(action.removeprefix("sleep:")))
    else:
        os.kill(os.getpid(), signal.SIGKILL)
