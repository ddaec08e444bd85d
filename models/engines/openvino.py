"""OpenVINO on the CPU: no torch in the process."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from models.engines.base import Pixels, Vectors, check_batch, unit_rows
from models.engines.telemetry import import_openvino

# Measured on 2 cores with efficientnet-lite0: 4 keeps a request's activations in the cache (in single precision 171
# images a second against 156 with 8) and leaves few enough requests for Python not to matter.
BATCH = 4
IN_FLIGHT = 2  # requests a stream: one computes while the next is filled


class OpenVinoEngine:
    """One compiled IR. A batch of 1 is compiled for latency, larger ones for throughput."""

    name = "openvino"

    def __init__(self, ir: Path, *, batch: int | None = None, precision: str = "f32") -> None:
        """ir: see `models.encoders.export.openvino_ir`.

        precision  "f32": the same vectors on every machine; "native": bfloat16 where the processor computes in it,
                   twice as fast there, a mean cosine of 0.998 to single precision (benchmarks/embedding.md)
        """
        core = openvino_core()
        self.batch = batch or BATCH
        hint = "LATENCY" if self.batch == 1 else "THROUGHPUT"
        settings = {"PERFORMANCE_HINT": hint} | ({"INFERENCE_PRECISION_HINT": "f32"} if precision == "f32" else {})
        self._compiled: Any = core.compile_model(core.read_model(ir), "CPU", settings)
        self.dim: int = self._compiled.output(0).partial_shape[1].get_length()
        self.input_size: int = self._compiled.input(0).partial_shape[1].get_length()

    def run(self, batches: Iterable[Pixels]) -> Iterator[Vectors]:
        checked = (check_batch(self, pixels) for pixels in batches)
        for outputs in in_order(self._compiled, checked):
            yield unit_rows(outputs)  # new memory: the request's own is about to be reused


@cache
def openvino_core() -> Any:
    """The one Core of this process, never freed.

    A Core's CPU plugin gives the thread that made it a stack for signals and frees that with the Core, putting back the
    one it had found. With two whose lives overlap that may be the other's, freed before: the next signal with a handler
    then kills the process.
    """
    return import_openvino().Core()


def in_order(compiled: Any, batches: Iterable[Any]) -> Iterator[Any]:
    """Batches through a compiled model with one input and one output -> its outputs, in the order of the batches.

    Lazy, a few batches in flight. An output is the request's own memory, valid until the next one is asked for. The
    requests are of this call alone, so that calls from several threads do not meet; closed early, it waits for those
    in flight: none may still compute when what it works on goes.
    """
    depth = IN_FLIGHT * int(compiled.get_property("NUM_STREAMS"))
    idle: list[Any] = []
    flying: deque[Any] = deque()
    try:
        for batch in batches:
            if len(flying) == depth:
                yield _landed(flying, idle)
            request = idle.pop() if idle else compiled.create_infer_request()
            request.start_async({0: batch}, share_inputs=False)
            flying.append(request)
        while flying:
            yield _landed(flying, idle)
    finally:
        for request in flying:
            request.wait()


def _landed(flying: deque[Any], idle: list[Any]) -> Any:
    """Requests are awaited in the order they were started, which keeps the results in order."""
    request = flying.popleft()
    request.wait()
    idle.append(request)
    return request.get_output_tensor(0).data
