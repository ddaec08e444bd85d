"""What a run reads: views of the training images to train on, and views of some and of held-out ones to look at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count as numbers
from pathlib import Path

import torch
from torch import Tensor, nn

from models.ssl import distributed
from models.ssl.backbone import Backbone
from models.ssl.base import Method, Setting, Views
from models.ssl.compare import CROP, MOST, SEED
from models.ssl.dataset import Key, Pictures, Some, ViewDataset
from models.ssl.maps import NAME, MapDataset, Trunk, made, through_trunk
from models.ssl.views import contrastive, plain

ENCODE = 64  # images a batch without gradient
LOOK_EVERY_S = 0.1  # for maps that another process makes

Dataset = ViewDataset | MapDataset


def looked_at(setting: Setting) -> Views:
    """The two random views by which encoders are compared, whatever method trained them."""
    return dict.fromkeys(("first", "second"), contrastive(setting, CROP))


class Gallery:
    def __init__(
        self,
        method: Method,
        train: Pictures,
        held_out: Pictures | None,
        probe: Sequence[int],
        workers: int,
        alive: Callable[[], None],
    ) -> None:
        """probe: the training images that are looked at. alive: called with every batch of them, see `Epoch.alive`."""
        self.workers, self.images, self.probe, self.alive = workers, len(train), list(probe), alive
        self.held_out = min(MOST, len(held_out) if held_out is not None else 0)
        setting, seed = method.setting, method.params.seed
        self.data: dict[str, Dataset] = {
            "train": ViewDataset(train, method.views(), seed),
            "plain": ViewDataset(train, {"plain": plain(setting)}, seed),
        }
        if held_out is not None and len(held_out):
            self.data["held out"] = ViewDataset(held_out, looked_at(setting), SEED)
        if method.params.frozen_share is None:
            self.data["changed"] = ViewDataset(Some(train, self.probe), looked_at(setting), seed)

    def send_through(self, trunk: nn.Module, scratch: Path, draws: int, report: Callable[[int, int], None]) -> None:
        """Replaces every view by its map behind the trunk; report(done, total) counts views.

        Of several processes the first makes them and the others read its files, once it says so by one more.
        """
        whole = scratch / "whole"
        if distributed.rank():
            return self._read_maps(scratch, whole)
        work = {name: (source, draws if name == "train" else 1) for name, source in self.data.items()}
        total = sum(source.made(count) for source, count in work.values() if isinstance(source, ViewDataset))
        done = 0

        def more(count: int) -> None:
            nonlocal done
            done += count
            report(done, total)

        blocks = Trunk(trunk)
        for name, (source, count) in work.items():
            if isinstance(source, ViewDataset):
                self.data[name] = through_trunk(source, blocks, scratch, count, self.workers, more)
        if distributed.world() > 1:
            whole.touch()

    def _read_maps(self, scratch: Path, whole: Path) -> None:
        """Waits as long as it takes: torchrun ends this process when the first one dies."""
        while not whole.exists():
            time.sleep(LOOK_EVERY_S)
        files = (scratch / NAME.format(number) for number in numbers())
        for name, source in self.data.items():
            if isinstance(source, ViewDataset):
                self.data[name] = made(source, files)

    def batches(self, keys: Iterable[list[Key]]) -> Iterator[dict[str, Tensor]]:
        return self.data["train"].batches(keys, self.workers)

    def features(self, encoder: Backbone) -> Tensor:
        """(N, D) float32 on the CPU of every training image's plain view; each process encodes its part."""
        size = -(-self.images // distributed.world())
        first = distributed.rank() * size
        mine = [min(index, self.images - 1) for index in range(first, first + size)]
        return distributed.gather(self.encode(encoder, "plain", mine)[:, 0])[: self.images].cpu()

    def plain_features(self, encoder: Backbone, index: list[int]) -> Tensor:
        """(P, D) of some training images' plain views."""
        return self.encode(encoder, "plain", index)[:, 0].cpu()

    def changed_features(self, encoder: Backbone) -> Tensor:
        """(P, 2, D) of two views of each probed training image."""
        return self.encode(encoder, "changed", list(range(len(self.probe)))).cpu()

    def held_out_features(self, encoder: Backbone) -> Tensor:
        """(H, 2, D) of two views of each held-out image."""
        return self.encode(encoder, "held out", list(range(self.held_out))).cpu()

    @torch.no_grad()  # not inference mode: a method may take what it gives into a loss
    def encode(self, encoder: Backbone, source: str, index: list[int]) -> Tensor:
        """(n, views, D) in evaluation mode, single precision; leaves the encoder in the mode it was in."""
        device = next(encoder.parameters()).device
        training = encoder.training
        encoder.eval()
        groups = ([Key(i, 0, {}) for i in index[start : start + ENCODE]] for start in range(0, len(index), ENCODE))
        found = []
        for batch in self.data[source].batches(groups, self.workers):
            views = [encoder(batch[name].to(device)).float() for name in batch if name != "index"]
            found.append(torch.stack(views, dim=1))
            self.alive()
        encoder.train(training)
        return torch.cat(found)
