"""Torch: CUDA where there is one; the same code runs on the CPU.

On CUDA, batches travel through pinned memory on the stream they are computed on; with several in flight, the next one
is copied and queued while the device computes, so that the device never waits for the host.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.engines.base import Pixels, Vectors, check_batch, unit_rows

if TYPE_CHECKING:
    import torch

    from models.encoders.base import Encoder

BATCH = {"cuda": 64, "cpu": 8}
IN_FLIGHT = 3  # one being filled, one waiting, one computed


@dataclass
class _Flight:
    """A batch on its way; `source` is held because the copy to the device reads it until `done`."""

    source: torch.Tensor
    outputs: torch.Tensor
    done: torch.cuda.Event | None


class TorchEngine:
    """An encoder's network on one torch device."""

    def __init__(self, encoder: Encoder, *, device: str, batch: int | None = None) -> None:
        """device: "cuda" or "cpu". Raises what `encoder.load` raises."""
        import torch

        self.name = f"torch-{device}"
        self.dim, self.input_size = encoder.dim, encoder.input_size
        self.batch = batch or BATCH[device]
        self._device = torch.device(device)
        self._network = encoder.load().to(self._device).to(memory_format=torch.channels_last)
        self._mean = torch.tensor(encoder.mean, device=self._device).view(1, 3, 1, 1) * 255
        self._std = torch.tensor(encoder.std, device=self._device).view(1, 3, 1, 1) * 255

    def run(self, batches: Iterable[Pixels]) -> Iterator[Vectors]:
        flights: deque[_Flight] = deque()
        try:
            for pixels in batches:
                if len(flights) == IN_FLIGHT:
                    yield self._landed(flights.popleft())
                flights.append(self._start(check_batch(self, pixels)))
            while flights:
                yield self._landed(flights.popleft())
        finally:
            for flight in flights:
                self._wait(flight)

    def _start(self, pixels: Pixels) -> _Flight:
        import torch

        source = self._staged(pixels)
        with torch.inference_mode(), self._autocast():
            images = source.to(self._device, non_blocking=True).permute(0, 3, 1, 2)  # NHWC memory is channels_last
            outputs = self._network((images.float() - self._mean) / self._std).float()
        if self._device.type != "cuda":
            return _Flight(source, outputs, None)
        target = torch.empty(outputs.shape, dtype=outputs.dtype, pin_memory=True)
        target.copy_(outputs, non_blocking=True)
        done = torch.cuda.Event()  # type: ignore[no-untyped-call]
        done.record()
        return _Flight(source, target, done)

    def _staged(self, pixels: Pixels) -> torch.Tensor:
        """A copy of the batch, in memory the device can read by itself; torch's allocator keeps it for the next one."""
        import torch

        staged = torch.empty(pixels.shape, dtype=torch.uint8, pin_memory=self._device.type == "cuda")
        staged.numpy()[...] = pixels
        return staged

    def _autocast(self) -> AbstractContextManager[object]:
        import torch

        if self._device.type != "cuda":
            return nullcontext()
        half = torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
        return torch.autocast("cuda", dtype=half)

    def _landed(self, flight: _Flight) -> Vectors:
        self._wait(flight)
        return unit_rows(flight.outputs.numpy())

    @staticmethod
    def _wait(flight: _Flight) -> None:
        if flight.done is not None:
            flight.done.synchronize()
