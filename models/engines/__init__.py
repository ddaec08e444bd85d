"""Opening an encoder on the device that is there."""

from __future__ import annotations

from pathlib import Path
from shutil import which

from models.encoders.base import Encoder
from models.engines.base import DeviceUnavailable, Engine

DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("f32", "native")


def open_engine(
    encoder: Encoder, *, device: str = "auto", cache: Path, batch: int | None = None, precision: str = "f32"
) -> Engine:
    """The encoder, ready to run.

    device  "cpu": OpenVINO; "cuda": torch; "auto": torch where CUDA works, otherwise OpenVINO
    cache   folder of converted encoders; one that is missing is converted first, which takes seconds
    batch   pictures a batch; None: what suits the device; 1: the least latency for single pictures
    precision  "f32", the same vectors on every machine, or "native", see OpenVinoEngine

    Raises EncoderUnavailable, EncoderHashMismatch, EncoderDamaged, ExportFailed, DeviceUnavailable, ValueError for any
    other device or a batch below 1.
    """
    if device not in DEVICES:
        raise ValueError(f"device is one of {', '.join(DEVICES)}, not {device!r}")
    if precision not in PRECISIONS:
        raise ValueError(f"precision is one of {', '.join(PRECISIONS)}, not {precision!r}")
    if batch is not None and batch < 1:
        raise ValueError(f"a batch holds at least 1 picture, not {batch}")
    if device == "cpu" or (device == "auto" and not cuda_works()):
        return _openvino(encoder, cache, batch, precision)
    return _torch(encoder, batch)


def cuda_works() -> bool:
    """Whether torch can compute on a GPU here. Imports torch only on a machine that shows signs of an NVIDIA driver."""
    if not nvidia_driver():
        return False
    import torch

    return torch.cuda.is_available()


def nvidia_driver() -> bool:
    """Whether this machine shows signs of one. Without, there is no CUDA; with, torch must be asked."""
    return any(Path("/dev").glob("nvidia[0-9]*")) or which("nvidia-smi") is not None


def _openvino(encoder: Encoder, cache: Path, batch: int | None, precision: str) -> Engine:
    from models.encoders.export import openvino_ir
    from models.engines.openvino import OpenVinoEngine

    return OpenVinoEngine(openvino_ir(encoder, cache), batch=batch, precision=precision)


def _torch(encoder: Encoder, batch: int | None) -> Engine:
    if not cuda_works():
        raise DeviceUnavailable("ROOST_DEVICE asks for cuda, but torch finds no CUDA device; use cpu or auto")
    from models.engines.torch import TorchEngine

    return TorchEngine(encoder, device="cuda", batch=batch)
