"""What a run reads: views and plain views of the training images, and those of each held-out image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from models.ssl import distributed
from models.ssl.backbone import Backbone
from models.ssl.base import Method, Setting, Views
from models.ssl.compare import CROP, MOST, SEED
from models.ssl.dataset import Key, Pictures, ViewDataset
from models.ssl.maps import MapDataset, Trunk, through_trunk
from models.ssl.views import contrastive, plain

ENCODE = 64  # images a batch without gradient
HELD_OUT_VIEWS = 4  # of each held-out image

Dataset = ViewDataset | MapDataset


def held_out_views(setting: Setting) -> Views:
    """The random views by which encoders are compared, whatever method trained them."""
    return dict.fromkeys((f"view{number}" for number in range(HELD_OUT_VIEWS)), contrastive(setting, CROP))


class Gallery:
    def __init__(
        self, method: Method, train: Pictures, held_out: Pictures | None, workers: int, alive: Callable[[], None]
    ) -> None:
        """alive: called with every batch that is only looked at, see `Epoch.alive`."""
        self.workers, self.images, self.alive = workers, len(train), alive
        self.views: Dataset = ViewDataset(train, method.views(), method.params.seed)
        self.plain: Dataset = ViewDataset(train, {"plain": plain(method.setting)}, method.params.seed)
        self.held_out = min(MOST, len(held_out) if held_out is not None else 0)
        aside = train if held_out is None else held_out
        self.held: Dataset = ViewDataset(aside, held_out_views(method.setting), SEED)
        self.held_plain: Dataset = ViewDataset(aside, {"plain": plain(method.setting)}, SEED)

    def send_through(self, trunk: nn.Module, scratch: Path, draws: int, report: Callable[[int, int], None]) -> None:
        """Replaces every view by its map behind the trunk; report(done, total) counts views."""
        work = [(self.views, draws), (self.plain, 1), (self.held, HELD_OUT_VIEWS), (self.held_plain, 1)]
        work = work if self.held_out else work[:2]
        sources = [(source, count) for source, count in work if isinstance(source, ViewDataset)]
        total = sum(source.made(count) for source, count in sources)
        done = 0

        def more(count: int) -> None:
            nonlocal done
            done += count
            report(done, total)

        blocks = Trunk(trunk)
        made = [through_trunk(source, blocks, scratch, count, self.workers, more) for source, count in sources]
        self.views, self.plain = made[0], made[1]
        self.held, self.held_plain = made[2:] if self.held_out else (self.held, self.held_plain)

    def batches(self, keys: Iterable[list[Key]]) -> Iterator[dict[str, Tensor]]:
        return self.views.batches(keys, self.workers)

    def features(self, encoder: Backbone) -> Tensor:
        """(N, D) float32 on the CPU of every training image's plain view; each process encodes its part."""
        size = -(-self.images // distributed.world())
        first = distributed.rank() * size
        mine = [min(index, self.images - 1) for index in range(first, first + size)]
        return distributed.gather(self.encode(encoder, self.plain, mine)[:, 0])[: self.images].cpu()

    def probed(self, encoder: Backbone, index: list[int]) -> Tensor:
        """(P, D) of some training images' plain views."""
        return self.encode(encoder, self.plain, index)[:, 0].cpu()

    def held_out_features(self, encoder: Backbone) -> Tensor:
        """(H, V, D) of views of each held-out image."""
        return self.encode(encoder, self.held, list(range(self.held_out))).cpu()

    def held_plain_features(self, encoder: Backbone) -> Tensor:
        """(H, D) of the held-out images as they are."""
        return self.encode(encoder, self.held_plain, list(range(self.held_out)))[:, 0].cpu()

    @torch.no_grad()  # not inference mode: a method may take what it gives into a loss
    def encode(self, encoder: Backbone, dataset: Dataset, index: list[int]) -> Tensor:
        """(n, views, D) in evaluation mode, single precision; leaves the encoder in the mode it was in."""
        device = next(encoder.parameters()).device
        training = encoder.training
        encoder.eval()
        groups = ([Key(i, 0, {}) for i in index[start : start + ENCODE]] for start in range(0, len(index), ENCODE))
        found = []
        for batch in dataset.batches(groups, self.workers):
            views = [encoder(batch[name].to(device)).float() for name in batch if name != "index"]
            found.append(torch.stack(views, dim=1))
            self.alive()
        encoder.train(training)
        return torch.cat(found)
