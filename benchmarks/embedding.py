"""Embedding side by side in one run: Roost from files, OpenVINO on ready tensors, ONNX Runtime, torch eager.

    python -m benchmarks.embedding [--folder PICTURES] [--encoder NAME] [--pictures 200] [--rounds 7] [--cache FOLDER]

Prints the table of benchmarks/embedding.md. Each round runs every contestant once, in turn, so that whatever else the
machine does meets all of them alike.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from models import registry
from models.embedding import embed, load_pixels
from models.encoders.base import Encoder
from models.encoders.export import openvino_ir
from models.engines.base import Pixels
from models.engines.openvino import OpenVinoEngine, openvino_core
from models.engines.telemetry import import_openvino

REFERENCE = "OpenVINO alone, ready tensors, single precision"
NATIVE = "OpenVINO alone, ready tensors, the processor's own precision"
ROOST_NATIVE = "Roost, from files, ROOST_PRECISION=native"
PEER_BATCH = 8
Contestant = Callable[[], None]


def main() -> None:
    options = arguments()
    with TemporaryDirectory() as folder:
        files = working_copies(options.folder, options.pictures, Path(folder))
        contestants = all_contestants(options.encoder, options.cache or Path(folder), files)
        print(table(measure(contestants, len(files), options.rounds), options.encoder, len(files), options.rounds))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("../shared/data/birds/images"))
    parser.add_argument("--encoder", default="efficientnet-lite0")
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--cache", type=Path, help="keep the converted encoder here")
    return parser.parse_args()


def working_copies(source: Path, count: int, target: Path) -> list[Path]:
    """Up to `count` pictures, spread over the folder or generated without one, as 256-pixel JPEGs of quality 95."""
    found = sorted(path for path in source.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    chosen = found[:: max(1, len(found) // count)][:count]
    pictures = (Image.open(path) for path in chosen) if chosen else generated(count)
    files = []
    for number, picture in enumerate(pictures):
        scale = 256 / min(picture.size)
        size = (round(picture.width * scale), round(picture.height * scale))
        files.append(target / f"{number:05}.jpg")
        picture.convert("RGB").resize(size, Image.Resampling.BICUBIC).save(files[-1], quality=95)
    return files


def generated(count: int) -> Iterator[Image.Image]:
    rng = np.random.default_rng(0)
    for _ in range(count):
        coarse = Image.fromarray(rng.integers(0, 256, (24, 32, 3), np.uint8)).resize(
            (500, 375), Image.Resampling.BICUBIC
        )
        noise = rng.normal(0, 6, (375, 500, 3))
        yield Image.fromarray((np.asarray(coarse) + noise).clip(0, 255).astype(np.uint8))


def all_contestants(encoder_name: str, cache: Path, files: list[Path]) -> dict[str, Contestant]:
    encoder: Encoder = registry.load("encoders", encoder_name)
    ir = openvino_ir(encoder, cache)
    pixels = np.stack([load_pixels(file, encoder.input_size) for file in files])
    batches = [pixels[start : start + PEER_BATCH] for start in range(0, len(pixels), PEER_BATCH)]
    network = encoder.load()
    return {
        REFERENCE: openvino_alone(ir, batches, {"INFERENCE_PRECISION_HINT": "f32"}),
        "Roost, from working-copy files": roost(OpenVinoEngine(ir), files),
        NATIVE: openvino_alone(ir, batches, {}),
        ROOST_NATIVE: roost(OpenVinoEngine(ir, precision="native"), files),
        "ONNX Runtime, ready tensors": onnx_runtime(network, encoder, batches),
        "torch eager, ready tensors": torch_eager(network, encoder, batches),
    }


def openvino_alone(ir: Path, batches: list[Pixels], settings: dict[str, str]) -> Contestant:
    openvino = import_openvino()
    core = openvino_core()
    compiled = core.compile_model(core.read_model(ir), "CPU", {"PERFORMANCE_HINT": "THROUGHPUT", **settings})
    queue = openvino.AsyncInferQueue(compiled)
    results: dict[int, Any] = {}
    queue.set_callback(lambda request, number: results.__setitem__(number, request.get_output_tensor(0).data.copy()))

    def run() -> None:
        for number, batch in enumerate(batches):
            queue.start_async({0: batch}, number)
        queue.wait_all()

    return run


def roost(engine: OpenVinoEngine, files: list[Path]) -> Contestant:
    def run() -> None:
        rows = sum(len(vectors) for vectors in embed(files, engine))
        assert rows == len(files)

    return run


def normalised(encoder: Encoder, batch: Pixels) -> np.ndarray:
    mean, std = np.array(encoder.mean, np.float32), np.array(encoder.std, np.float32)
    scaled = (batch.astype(np.float32) / 255 - mean) / std
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))


def onnx_runtime(network: Any, encoder: Encoder, batches: list[Pixels]) -> Contestant:
    import onnxruntime
    import torch

    ready = [normalised(encoder, batch) for batch in batches]
    with TemporaryDirectory() as folder:
        file = f"{folder}/network.onnx"
        example = (torch.from_numpy(ready[0]),)
        # The older exporter: the newer one wants the package onnxscript.
        torch.onnx.export(network, example, file, dynamo=False, input_names=["image"], dynamic_axes={"image": {0: "b"}})
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])

    def run() -> None:
        for batch in ready:
            session.run(None, {"image": batch})

    return run


def torch_eager(network: Any, encoder: Encoder, batches: list[Pixels]) -> Contestant:
    import torch

    ready = [torch.from_numpy(normalised(encoder, batch)) for batch in batches]

    def run() -> None:
        with torch.inference_mode():
            for batch in ready:
                network(batch)

    return run


def measure(contestants: dict[str, Contestant], pictures: int, rounds: int) -> dict[str, list[float]]:
    """Images a second of each contestant in each round, after one round to warm up."""
    speeds: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, run in contestants.items():
            start = time.perf_counter()
            run()
            if number:
                speeds[name].append(pictures / (time.perf_counter() - start))
    return speeds


def table(speeds: dict[str, list[float]], encoder: str, pictures: int, rounds: int) -> str:
    """Markdown; the ratio is the median over rounds of the ratio within a round."""
    packages = ("openvino", "onnxruntime", "torch", "timm", "simplejpeg", "numpy")
    lines = [
        f"{encoder}, {pictures} pictures, median of {rounds} alternating rounds (least - most), {processor()}, "
        f"{os.cpu_count()} cores; Python {platform.python_version()}, "
        + ", ".join(f"{package} {version(package)}" for package in packages),
        "",
        "| contestant | images a second | of OpenVINO alone in the same precision |",
        "| --- | --- | --- |",
    ]
    for name, values in speeds.items():
        reference = speeds[NATIVE if name in (NATIVE, ROOST_NATIVE) else REFERENCE]
        ratio = median(one / other for one, other in zip(values, reference, strict=True))
        lines.append(f"| {name} | {median(values):.0f} ({min(values):.0f} - {max(values):.0f}) | {ratio:.2f} |")
    return "\n".join(lines)


def processor() -> str:
    """The processor's name and whether it computes in bfloat16, which decides OpenVINO's own precision."""
    core = openvino_core()
    name: str = core.get_property("CPU", "FULL_DEVICE_NAME").strip()
    native = "with" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "without"
    return f"{name} {native} bfloat16"


if __name__ == "__main__":
    main()
