"""Pictures and the views that are made of them, in the workers of torch's data loader."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any, Protocol

import simplejpeg
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, default_collate

from models.embedding import WorkingCopyUnreadable
from models.ssl.base import Transform, Views
from models.ssl.seeds import seed_globally


class Pictures(Protocol):
    """Pictures by index; a uint8 tensor (N, 3, H, W) is one too."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Tensor:
        """(3, H, W) uint8 RGB."""
        ...


@dataclass(frozen=True)
class WorkingCopies:
    """Working copies on disk. Raises WorkingCopyUnreadable."""

    paths: Sequence[Path]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Tensor:
        path = self.paths[index]
        try:
            pixels = simplejpeg.decode_jpeg(path.read_bytes())
        except (OSError, ValueError) as error:
            raise WorkingCopyUnreadable(path, str(error)) from error
        return torch.from_numpy(pixels).permute(2, 0, 1)


@dataclass(frozen=True)
class Some:
    """Some of the pictures, in the order of the index."""

    pictures: Pictures
    index: Sequence[int]

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, place: int) -> Tensor:
        return self.pictures[self.index[place]]


@dataclass(frozen=True)
class Key:
    """One item of a batch: the image, which draw of its views, and where views come from that are not its own."""

    index: int
    draw: int
    sources: Mapping[str, int]


class ViewDataset(Dataset[dict[str, Tensor]]):
    """Key -> {"index": (), view name: (3, S, S) ...}. The same key gives the same views, in every process."""

    def __init__(self, pictures: Pictures, views: Views, seed: int) -> None:
        self.pictures, self.views, self.seed = pictures, views, seed
        self.ranks = ranks(views)

    def __getitem__(self, key: Key) -> dict[str, Tensor]:
        item = {"index": torch.tensor(key.index)}
        for name, transform in self.views.items():
            rank, sharing = self.ranks[name]
            image = key.sources.get(name, key.index)
            item[name] = self.draw(transform, image, key.draw * sharing + rank)
        return item

    def draw(self, transform: Transform, image: int, draw: int) -> Tensor:
        """One view: transforms that differ see the same random numbers, and so the same crop."""
        seed_globally(self.seed, "view", image, draw)
        return transform(self.pictures[image])

    def made(self, draws: int) -> int:
        """How many views it takes to make `draws` of each transform of every picture, or more where names need it."""
        transforms = {id(transform) for transform in self.views.values()}
        return len(self.pictures) * sum(max(draws, self.sharing(one)) for one in transforms)

    def sharing(self, transform_id: int) -> int:
        """How many names have this transform."""
        return sum(id(transform) == transform_id for transform in self.views.values())

    def batches(self, keys: Iterable[list[Key]], workers: int) -> Iterator[dict[str, Tensor]]:
        """Collated batches in order, made in `workers` processes; 0: in this one."""
        return load(self, keys, workers)


def ranks(views: Views) -> dict[str, tuple[int, int]]:
    """Name -> (which it is among the names that share its transform, how many those are)."""
    sharing = Counter(id(transform) for transform in views.values())
    seen: Counter[int] = Counter()
    found = {}
    for name, transform in views.items():
        found[name] = (seen[id(transform)], sharing[id(transform)])
        seen[id(transform)] += 1
    return found


def load(dataset: Dataset[Any], batches: Iterable[list[Any]], workers: int) -> Iterator[dict[str, Tensor]]:
    """Collated batches in order. Raises WorkingCopyUnreadable."""
    loader: DataLoader[dict[str, Tensor] | _Unreadable] = DataLoader(
        _Handed(dataset),
        batch_sampler=batches,  # any iterable of lists will do
        num_workers=workers,
        collate_fn=_collated,
        multiprocessing_context=_clean_processes() if workers else None,
        pin_memory=torch.cuda.is_available(),
    )
    for batch in loader:
        if isinstance(batch, _Unreadable):
            raise WorkingCopyUnreadable(batch.path, batch.reason)
        yield batch


def _clean_processes() -> BaseContext:
    """Worker processes are forked from a server that has imported what they need: this one may have threads."""
    context = get_context("forkserver")
    spec = sys.modules["__main__"].__spec__  # of `python -m name`; each worker runs that module's top level again
    context.set_forkserver_preload(["__main__", *([spec.name] if spec else []), "models.ssl.views", __name__])
    return context


@dataclass(frozen=True)
class _Unreadable:
    path: Path | None
    reason: str


class _Handed(Dataset[Any]):
    """Hands WorkingCopyUnreadable over as a value: raised in a worker process it would come out as a RuntimeError."""

    def __init__(self, dataset: Dataset[Any]) -> None:
        self.dataset = dataset

    def __getitem__(self, key: Any) -> Any:
        try:
            return self.dataset[key]
        except WorkingCopyUnreadable as error:
            return _Unreadable(error.path, str(error.__cause__))


def _collated(items: list[Any]) -> Any:
    return next((item for item in items if isinstance(item, _Unreadable)), None) or default_collate(items)
