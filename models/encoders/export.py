"""An encoder as an OpenVINO model on disk, so that a process can serve it without torch.

python -m models.encoders.export NAME CACHE      converts; what `openvino_ir` runs as a child process
"""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import numpy as np

from models import registry
from models.disk import DiskFull, disk_full_named, flush, no_space
from models.encoders.base import Encoder, EncoderError, EncoderUnavailable
from models.engines.openvino import openvino_core
from models.engines.telemetry import import_openvino

if TYPE_CHECKING:
    from torch import Tensor, nn

UNAVAILABLE, NO_ROOM = 69, 74  # EX_UNAVAILABLE and EX_IOERR of sysexits.h: the child's EncoderUnavailable, DiskFull
FULL_DISK = "The disk has no room for an encoder; free some space or add some."
IR = ("model.xml", "model.bin")
AGREEMENT = 0.9999  # least cosine of converted and original network; single precision reaches 0.999999


class ExportFailed(EncoderError):
    """The network could not be converted, or the conversion does not compute the same."""

    code = "encoder_export_failed"


def openvino_ir(encoder: Encoder, cache: Path) -> Path:
    """The encoder's IR: its own, or <cache>/<sha256 of the weights>/model.xml beside model.bin, made if not there.

    Input "image": uint8 (B, S, S, 3) RGB, scaled inside the model; output "embedding": (B, D) float32, not normalised.
    The conversion runs in a child process, which takes torch's memory with it when it ends; the child finds the encoder
    in the registry, by its name. Raises EncoderUnavailable, EncoderHashMismatch, ExportFailed, DiskFull.
    """
    if own := encoder.ir():
        return own
    if encoder.unavailable() is None and (ir := _place(encoder, cache)).is_file():
        return ir
    _convert_in_child(encoder.name, cache)
    return _place(encoder, cache)


def convert(encoder: Encoder, cache: Path) -> None:
    """Writes the IR in this process; when another process was faster, its result stands."""
    network = encoder.load()
    target = _place(encoder, cache).parent
    cache.mkdir(parents=True, exist_ok=True)
    partial = Path(mkdtemp(prefix=f"{target.name}.", suffix=".partial", dir=cache))
    try:
        with disk_full_named(FULL_DISK, partial):
            write_ir(encoder, network, partial)
            _publish(partial, target)
    finally:
        rmtree(partial, ignore_errors=True)  # already renamed when all went well


def write_ir(encoder: Encoder, network: nn.Module, folder: Path) -> None:
    """Writes model.xml and model.bin of a network with the encoder's architecture and scaling; reads them to check.

    network: on the CPU, in evaluation mode. Raises ExportFailed, RuntimeError when OpenVINO cannot write.
    """
    openvino = import_openvino()
    model = _with_pixel_input(encoder, _traced(encoder, network))
    # Half precision would halve 13 MB and move the embeddings: not worth it.
    openvino.save_model(model, folder / IR[0], compress_to_fp16=False)
    _check(encoder, network, openvino_core().read_model(folder / IR[0]))


def make_durable(folder: Path) -> None:
    """Files and folder outlast a power cut, and other users of the machine may read them."""
    for path in (*folder.iterdir(), folder):
        flush(path)
    folder.chmod(0o755)  # mkdtemp's 0700 would shut out a service that runs as another user


def _place(encoder: Encoder, cache: Path) -> Path:
    return cache / encoder.sha256() / IR[0]


def _convert_in_child(encoder_name: str, cache: Path) -> None:
    root = str(registry.ROOT.parent)
    path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH")) if part)
    child = subprocess.run(
        [sys.executable, "-m", "models.encoders.export", encoder_name, str(cache)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if child.returncode == UNAVAILABLE:
        raise EncoderUnavailable(child.stderr.strip().splitlines()[-1])
    if child.returncode == NO_ROOM:
        raise DiskFull(FULL_DISK)
    if child.returncode:
        raise ExportFailed(f"{encoder_name} was not converted (exit {child.returncode}): {child.stderr[-2000:]}")


def _traced(encoder: Encoder, network: nn.Module) -> Any:
    import torch

    size = encoder.input_size
    return converted(network, torch.zeros(2, 3, size, size))


def converted(network: nn.Module, example: Tensor) -> Any:
    """A network in evaluation mode as OpenVINO model; any batch of pictures (B, ...) of the example's size fits it."""
    import torch

    with warnings.catch_warnings():
        # torch would rather be exported than traced; OpenVINO traces. Branches on a shape are constant here, as meant.
        warnings.simplefilter("ignore")
        # Not traced twice to compare, half of the time: `write_ir` compares what comes out, and so does Trunk.
        traced = torch.jit.trace(network, example, strict=False, check_trace=False)
        return import_openvino().convert_model(traced, example_input=example, input=[-1, *example.shape[1:]])


def _with_pixel_input(encoder: Encoder, model: Any) -> Any:
    """Puts uint8 NHWC -> float32 NCHW and the encoder's mean and std in front of the network."""
    openvino = import_openvino()
    from openvino.preprocess import PrePostProcessor

    steps = PrePostProcessor(model)
    image = steps.input()
    image.tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    image.model().set_layout(openvino.Layout("NCHW"))
    scaled = image.preprocess().convert_element_type(openvino.Type.f32)
    scaled.mean([255 * value for value in encoder.mean]).scale([255 * value for value in encoder.std])
    built = steps.build()
    built.input().set_names({"image"})
    built.output().set_names({"embedding"})
    return built


def _check(encoder: Encoder, network: nn.Module, model: Any) -> None:
    """Raises ExportFailed unless the model embeds noise as the network does."""
    import torch

    pixels = np.random.default_rng(0).integers(0, 256, (2, encoder.input_size, encoder.input_size, 3), np.uint8)
    compiled = openvino_core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = torch.from_numpy(compiled(pixels)[0].copy())
    scaled = (torch.from_numpy(pixels) / 255 - torch.tensor(encoder.mean)) / torch.tensor(encoder.std)
    with torch.inference_mode():
        expected = network(scaled.permute(0, 3, 1, 2))
    if expected.shape != (2, encoder.dim):
        raise ExportFailed(f"{encoder.name} gives {tuple(expected.shape)} for two pictures, not (2, {encoder.dim})")
    cosine = torch.cosine_similarity(found, expected).min().item()
    if not cosine >= AGREEMENT:
        raise ExportFailed(f"{encoder.name} converted has a cosine of {cosine:.6f} to the original")


def _publish(partial: Path, target: Path) -> None:
    """Makes the finished folder appear under its name in one step, durably."""
    make_durable(partial)
    try:
        partial.rename(target)
    except OSError:
        if not (target / IR[0]).is_file():
            raise
        return
    flush(target.parent)


def main(arguments: list[str]) -> int:
    name, cache = arguments
    try:
        convert(registry.load("encoders", name), Path(cache))
    except Exception as error:
        if no_space(error):
            return NO_ROOM
        if isinstance(error, EncoderUnavailable):
            print(error, file=sys.stderr)
            return UNAVAILABLE
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
