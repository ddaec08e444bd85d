"""The whole of `roost cluster FOLDER`, from the process's start to its end, beside OpenVINO alone on ready tensors.

python -m benchmarks.folder ../shared/data/birds/images --rounds 5
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, Literal

from app.folder.scan import pictures
from app.settings import Settings
from benchmarks.embedding import openvino_alone, processor
from models import registry
from models.embedding import load_pixels
from models.encoders.export import openvino_ir

ENCODER = "efficientnet-lite0"
Precision = Literal["f32", "native"]
PRECISIONS: dict[Precision, dict[str, str]] = {"f32": {"INFERENCE_PRECISION_HINT": "f32"}, "native": {}}


def whole(folder: Path, out: Path, precision: Precision) -> tuple[float, dict[str, Any]]:
    """Wall-clock seconds of the command, and what it says of its stages."""
    command = [sys.executable, "-m", "app.cli", "cluster", str(folder), "--k", "13", "--labels", "folders", "--json"]
    started = time.perf_counter()
    run = subprocess.run(
        [*command, "--out", str(out)],
        env=Settings(precision=precision).environment(),
        capture_output=True,
        check=True,
    )
    return time.perf_counter() - started, json.loads(run.stdout)


def measure(folder: Path, rounds: int, precision: Precision) -> None:
    with tempfile.TemporaryDirectory(prefix="roost-folder-") as scratch:
        out = Path(scratch, "out")
        whole(folder, out, precision)  # converts the network once, and warms the file cache
        import numpy as np

        copies = [load_pixels(path, 224) for path in sorted((out / "thumbs").glob("*.jpg"))]
        batches = [np.stack(copies[start : start + 8]) for start in range(0, len(copies), 8)]
        ir = openvino_ir(registry.load("encoders", ENCODER), Settings().encoder_cache)
        alone = openvino_alone(ir, batches, PRECISIONS[precision])
        alone()
        rows: list[tuple[float, float, dict[str, Any]]] = []
        for _ in range(rounds):
            started = time.perf_counter()
            alone()
            reference = time.perf_counter() - started
            rows.append((reference, *whole(folder, out, precision)))
    _print(rows, len(copies), precision)


def _print(rows: list[tuple[float, float, dict[str, Any]]], images: int, precision: Precision) -> None:
    reference, wall = median(row[0] for row in rows), median(row[1] for row in rows)
    share = median(row[0] / row[1] for row in rows)
    embed = median(row[0] / row[2]["seconds"]["embed"] for row in rows)
    print(f"{precision}: {images} pictures, {len(rows)} alternating rounds, {processor()}")
    print(f"  OpenVINO alone on ready tensors  {reference:6.2f} s  {images / reference:6.1f} images/s")
    print(f"  roost cluster, start to report   {wall:6.2f} s  {images / wall:6.1f} images/s  share {share:.2f}")
    print(f"  its embedding, decoding included: share {embed:.2f}")
    names = list(rows[0][2]["seconds"])
    stages = {name: median(row[2]["seconds"][name] for row in rows) for name in names}
    stages["start and end of the process"] = median(row[1] - row[2]["seconds"]["total"] for row in rows)
    print("  " + "  ".join(f"{name} {value:.2f}" for name, value in stages.items()) + "  (ingest and embed overlap)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print(f"{len(pictures(arguments.folder, Path('/nowhere')))} files")
    for precision in PRECISIONS:
        measure(arguments.folder, arguments.rounds, precision)


if __name__ == "__main__":
    main()
