"""What the processes of a service take at most while hostile things are sent to it."""

from __future__ import annotations

import os
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil

EVERY_S = 0.05
MB = 2**20
DECODER, JOB, SERVICE = "decoder", "job", "service"


class Watch(threading.Thread):
    """Looks at every process below the service twenty times a second. `most`: resident bytes by role, at most;
    `scratch`: bytes in the scratch folder, at most; `decoders`: how many there were."""

    def __init__(self, pid: int, scratch: Path) -> None:
        super().__init__(name="watch", daemon=True)
        self.most: Counter[str] = Counter()
        self.scratch = 0
        self._decoders: set[int] = set()
        self._service, self._folder = psutil.Process(pid), scratch
        self._roles: dict[int, str] = {}
        self._over = threading.Event()

    @property
    def decoders(self) -> int:
        return len(self._decoders)

    def run(self) -> None:
        while not self._over.wait(EVERY_S):
            with suppress(psutil.Error):  # a process that has just ended
                self._look()
            self.scratch = max(self.scratch, _size(self._folder))

    def stop(self) -> None:
        self._over.set()
        self.join()

    def _look(self) -> None:
        self._note(SERVICE, self._service)
        for child in self._service.children(recursive=True):
            with suppress(psutil.Error):
                self._note(self._role(child), child)

    def _note(self, role: str, process: psutil.Process) -> None:
        self.most[role] = max(self.most[role], process.memory_info().rss)
        if role == DECODER:
            self._decoders.add(process.pid)

    def _role(self, process: psutil.Process) -> str:
        """Asked for until it has one: between fork and exec a child has the command of its parent."""
        if process.pid not in self._roles:
            command = " ".join(process.cmdline())
            role = DECODER if "models.guard_child" in command else JOB if "roost job" in command else ""
            if not role:
                return SERVICE
            self._roles[process.pid] = role
        return self._roles[process.pid]


def _size(folder: Path) -> int:
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(where, name)).st_size
    return total
