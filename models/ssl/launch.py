"""Training in several processes by torchrun, as the process sees it that starts them; ranks.py is the other side.

They talk through one folder, which belongs to one attempt: JSON and tensors, nothing that could run. The process that
starts the others alone knows where checkpoints go, whom to tell of progress and when to stop; the others only train.
They end with it, however it dies: each holds one end of a pipe that closes then. They meet in files: the server by
which torchrun's processes otherwise do would listen on every interface and trust whoever calls.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from models.disk import DiskFull, has_room
from models.ssl.checks import check_share
from models.ssl.task import EVENTS, FAILURE, LOG, OUTCOME, PID, STATE, TASK, Recorded, Report, Task

if TYPE_CHECKING:
    from models.ssl.base import Method
    from models.ssl.checkpoint import Checkpoints
    from models.ssl.fit import Result

LOOK_EVERY_S = 0.1
STOP_WITHIN_S = 5.0  # before they are killed; less than a worker gives a job (workers/runner.py)
LAST_WORDS = 4000  # characters of the log

_ROOT = Path(__file__).parents[2]


class RankDied(RuntimeError):
    """A process of the training ended without a reason of its own: killed, or by an error that nobody foresaw.

    Its notes are the last words of all of them.
    """

    code = "process_died"


class TrainingFailed(RuntimeError):
    """A process of the training gave this reason; `code` is that of the error it met."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def processes(asked: int, device: str, batch_size: int) -> int:
    """How many train. asked: 0 for as many as there are CUDA devices and share the batch equally, one on the CPU.

    Never more than there are CUDA devices, where there are some. Raises CannotTrain: those asked for cannot share it.
    """
    devices = 0
    if device == "cuda":
        import torch

        devices = torch.cuda.device_count()
    if not asked:
        return most_sharing(devices, batch_size)
    check_share(batch_size, count := min(asked, devices or asked))
    return count


def most_sharing(devices: int, batch_size: int) -> int:
    """The most devices that can share a batch equally; at least 1."""
    return next((count for count in range(devices, 1, -1) if batch_size % count == 0), 1)


def train_in_processes(
    method: Method,
    task: Task,
    count: int,
    folder: Path,
    report: Report,
    checkpoints: Checkpoints | None,
    recorded: Recorded | None,
) -> Result:
    """What `train` does, by `count` processes that share every batch. folder: for all they write; must not exist.

    Raises TrainingFailed, RankDied, DiskFull, what `checkpoints` raise, and what `report` raises, which is asked all
    the time.
    """
    from models.ssl.checkpoint import read, write
    from models.ssl.fit import Result

    folder.mkdir(parents=True)
    (folder / TASK).write_text(task.model_dump_json(), encoding="utf-8")
    if checkpoints and (state := checkpoints.load()):
        write(state, folder / STATE)
        del state
    with _Processes(count, folder) as running:
        for event in running.events():
            if "recorded" in event and recorded:
                recorded(event["recorded"])
            elif "saved" in event and checkpoints:
                checkpoints.save(read(folder / STATE))
            elif "progress" in event:
                report(*event["progress"])
    outcome = read(folder / OUTCOME)
    method.load_state_dict(outcome["method"])
    return Result(**outcome["result"])


class _Processes:
    """torchrun and what it starts."""

    def __init__(self, count: int, folder: Path) -> None:
        self.count, self.folder = count, folder
        (folder / EVENTS).touch()
        self._read, self._rest = 0, b""
        self._latest: dict[str, Any] = {"progress": ["start", 0, count, "processes"]}
        with (folder / LOG).open("wb") as log:
            # Nothing is written to stdin. The processes inherit it, and end when this one does and so closes it.
            self.process = subprocess.Popen(
                _command(count, folder), stdin=subprocess.PIPE, stdout=log, stderr=log, env=_environment(count),
                start_new_session=True,  # Ctrl-C is for this process, which ends them in order
            )  # fmt: skip

    def __enter__(self) -> _Processes:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._end()

    def events(self) -> Iterator[dict[str, Any]]:
        """What happens, until all have ended well, and the latest progress again and again.

        Raises TrainingFailed, RankDied, DiskFull.
        """
        ended = False
        while not ended:
            ended = self._ended()
            new = self._new()
            yield from new
            if not any("progress" in event for event in new):
                yield self._latest
        if self.process.returncode:
            raise self._reason()

    def _ended(self) -> bool:
        try:
            self.process.wait(LOOK_EVERY_S)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _new(self) -> list[dict[str, Any]]:
        """What was written since, in order; of several checkpoints the last, since there is only one file of them."""
        with (self.folder / EVENTS).open("rb") as stream:
            stream.seek(self._read)
            found = stream.read()
        self._read += len(found)
        *lines, self._rest = (self._rest + found).split(b"\n")
        events: list[dict[str, Any]] = [json.loads(line) for line in lines]
        self._latest = next((event for event in reversed(events) if "progress" in event), self._latest)
        last = max((place for place, event in enumerate(events) if "saved" in event), default=-1)
        return [event for place, event in enumerate(events) if "saved" not in event or place == last]

    def _reason(self) -> Exception:
        if (file := self.folder / FAILURE).exists():
            return TrainingFailed(**json.loads(file.read_text(encoding="utf-8")))
        if not has_room(self.folder):  # not even for the reason
            return DiskFull("The disk is full; free some space or add some.")
        error = RankDied(
            f"One of the {self.count} processes of the training died. The same again goes on from the last checkpoint."
        )
        error.add_note((self.folder / LOG).read_text(encoding="utf-8", errors="replace")[-LAST_WORDS:])
        return error

    def _end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        for file in self.folder.glob(PID.format("*")):  # what makes views outlives a process that was killed
            with suppress(ProcessLookupError):
                os.killpg(int(file.stem), signal.SIGKILL)


def _command(count: int, folder: Path) -> list[str]:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nnodes=1", f"--nproc-per-node={count}"]
    meeting = ["--rdzv-backend=c10d", "--rdzv-conf=store_type=file", f"--rdzv-endpoint={folder / 'rendezvous'}"]
    local = ["--local-addr=127.0.0.1", f"--log-dir={folder / 'logs'}", "--shutdown-timeout=2"]
    return [*torchrun, *meeting, *local, "-m", "models.ssl.ranks", str(folder)]


def _environment(count: int) -> dict[str, str]:
    """Each gets its share of the processors; what they say to each other stays on this machine."""
    loopback = next((name for _, name in socket.if_nameindex() if name in ("lo", "lo0")), "lo")
    threads = str(max(1, len(os.sched_getaffinity(0)) // count))
    chosen = {"OMP_NUM_THREADS": threads, "GLOO_SOCKET_IFNAME": loopback, "NCCL_SOCKET_IFNAME": loopback}
    paths = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    # PYTHONSAFEPATH: a gallery may lie in the working directory, and hold a file named numpy.py.
    fixed = {"PYTHONPATH": paths, "PYTHONSAFEPATH": "1", "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
    return {**chosen, **os.environ, **fixed}
