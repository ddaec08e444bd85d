"""Views that have passed the frozen trunk once, kept as maps on disk: what makes training on a CPU cheap.

The trunk runs in OpenVINO, about twice as fast as torch. The maps are float16: what training draws from them are a few
views an image instead of ever new ones.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from models.disk import disk_full_named, reserve
from models.encoders.export import converted
from models.engines.openvino import in_order, openvino_core
from models.ssl.base import Transform
from models.ssl.checkpoint import FULL_DISK
from models.ssl.dataset import Key, ViewDataset, load, ranks
from models.ssl.seeds import generator

BATCH = 16
NAME = "maps-{}.npy"  # the first, 0, to the last of a folder
Report = Callable[[int], None]  # how many views more are done


class MapDataset:
    """Stands in for a ViewDataset: the same keys, but each view is one of a few that were made ahead."""

    def __init__(self, source: ViewDataset, maps: dict[int, np.ndarray]) -> None:
        """maps: id of a transform -> (N, V, ...) float16, V draws of it through the trunk."""
        self.seed = source.seed
        self.ranks = ranks(source.views)
        self.maps = {name: maps[id(transform)] for name, transform in source.views.items()}

    def batches(self, keys: Iterable[list[Key]], workers: int) -> Iterator[dict[str, Tensor]]:
        """Collated batches in order; no workers are needed to read."""
        for group in keys:
            batch = {"index": torch.tensor([key.index for key in group])}
            for name in self.maps:
                batch[name] = self._read(name, group)
            yield batch

    def _read(self, name: str, group: list[Key]) -> Tensor:
        maps, (rank, _) = self.maps[name], self.ranks[name]
        images = [key.sources.get(name, key.index) for key in group]
        draws = [
            int(torch.randperm(maps.shape[1], generator=generator(self.seed, "map", key.index, key.draw))[rank])
            for key in group
        ]
        return torch.from_numpy(maps[images, draws])


def through_trunk(
    source: ViewDataset, trunk: Trunk, folder: Path, draws: int, workers: int, report: Report
) -> MapDataset:
    """Runs `draws` views of every picture through the trunk. Raises DiskFull when they do not fit."""
    folder.mkdir(parents=True, exist_ok=True)
    maps: dict[int, np.ndarray] = {}
    for transform in source.views.values():
        if id(transform) not in maps:
            file = folder / NAME.format(len(list(folder.iterdir())))
            count = max(draws, source.sharing(id(transform)))
            maps[id(transform)] = _fill(source, transform, count, trunk, file, workers, report)
    return MapDataset(source, maps)


def made(source: ViewDataset, files: Iterator[Path]) -> MapDataset:
    """What another process had `through_trunk` make of the same views, in that order."""
    maps: dict[int, np.ndarray] = {}
    for transform in source.views.values():
        if id(transform) not in maps:
            found: np.ndarray = np.load(next(files), mmap_mode="r")
            maps[id(transform)] = found.reshape(len(source.pictures), -1, *found.shape[1:])
    return MapDataset(source, maps)


class _Draws(Dataset[Tensor]):
    """Draw d of image i at i * draws + d."""

    def __init__(self, source: ViewDataset, transform: Transform, draws: int) -> None:
        self.source, self.transform, self.draws = source, transform, draws

    def __getitem__(self, place: int) -> Tensor:
        return self.source.draw(self.transform, *divmod(place, self.draws))


def _fill(
    source: ViewDataset, transform: Transform, draws: int, trunk: Trunk, file: Path, workers: int, report: Report
) -> np.ndarray:
    count = len(source.pictures) * draws
    batches = [list(range(start, min(start + BATCH, count))) for start in range(0, count, BATCH)]
    maps, done = np.empty(0), 0
    views = load(_Draws(source, transform, draws), batches, workers)
    with closing(trunk.run(views)) as through:
        for outputs in through:
            if not done:
                maps = _reserved(file, (count, *outputs.shape[1:]))
            maps[done : done + len(outputs)] = outputs
            done += len(outputs)
            report(len(outputs))
    return maps.reshape(len(source.pictures), draws, *maps.shape[1:])


def _reserved(file: Path, shape: tuple[int, ...]) -> np.ndarray:
    """A memory map whose room on the disk is taken at once: a full disk must not kill the process at a later write."""
    try:
        with disk_full_named(FULL_DISK):
            maps = np.lib.format.open_memmap(file, mode="w+", dtype=np.float16, shape=shape)
            reserve(file)
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    return maps


class Trunk:
    """The frozen blocks in OpenVINO, converted once for each size of picture."""

    def __init__(self, blocks: nn.Module) -> None:
        self._blocks = blocks.eval()
        self._compiled: dict[tuple[int, ...], Any] = {}

    def run(self, batches: Iterable[Tensor]) -> Generator[np.ndarray]:
        """(B, 3, S, S), all of one size -> (B, C, h, w), in order, each valid until the next one is asked for."""
        rest = iter(batches)
        if (first := next(rest, None)) is not None:
            yield from in_order(self._for(first), (batch.numpy() for batch in chain([first], rest)))

    def _for(self, batch: Tensor) -> Any:
        size = tuple(batch.shape[1:])
        if size not in self._compiled:
            settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "f32"}
            model = converted(self._blocks, batch[:2])
            self._compiled[size] = openvino_core().compile_model(model, "CPU", settings)
        return self._compiled[size]
