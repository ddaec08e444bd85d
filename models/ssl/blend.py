"""Frozen and tuned weights mixed: what training gained, with less of what it lost.

Wortsman et al. 2022 (WiSE-FT), https://arxiv.org/abs/2109.01903: between the weights a fine-tuning starts from and
those it ends with lie networks that are better than both. How far to go back is settled without labels, by what the
verdict goes by too: how many of the frozen encoder's neighbours changed views of pictures find. Here these are training
pictures, of which there are more, so that the held-out ones remain for the verdict. The shortest way back is taken that
is within one standard error of the best (the rule by which Breiman et al. 1984 choose the size of a tree). Far from
what the encoder knew, all or most of what was learnt stays, near it half: benchmarks/ssl.md.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from models.evaluation.neighbourhood import found, nearest
from models.ssl.backbone import Backbone
from models.ssl.gallery import Gallery
from models.ssl.seeds import generator

SHARES = (0.0, 0.25, 0.5, 0.75)  # of the frozen weights
CANDIDATES = 4096  # training images that may be neighbours

State = Mapping[str, Tensor]


def snapshot(encoder: Backbone) -> dict[str, Tensor]:
    """A copy of what of the encoder is trained."""
    return {name: value.clone() for name, value in encoder.tail.state_dict().items()}


def blend(encoder: Backbone, tuned: State, frozen: State, share: float) -> None:
    """Gives the encoder the weights and statistics that lie `share` of the way from tuned to frozen. Counters stay."""
    mixed = {
        name: torch.lerp(value, frozen[name].to(value), share) if value.is_floating_point() else value
        for name, value in tuned.items()
    }
    encoder.tail.load_state_dict(mixed)


def settle(encoder: Backbone, frozen: State, gallery: Gallery, seed: int) -> tuple[float, dict[float, float]]:
    """Leaves the encoder with the share of frozen weights that suits it -> that, and what was found with each."""
    tuned, probe = snapshot(encoder), gallery.probe
    others = set(torch.randperm(gallery.images, generator=generator(seed, "blend"))[:CANDIDATES].tolist()) - set(probe)
    candidates, own = [*probe, *sorted(others)], range(len(probe))
    blend(encoder, tuned, frozen, 1.0)
    rows = _unit(gallery.plain_features(encoder, candidates))
    near = nearest(rows[: len(probe)], rows, own)
    scores = {}
    for share in SHARES:
        blend(encoder, tuned, frozen, share)
        views, rows = gallery.changed_features(encoder), gallery.plain_features(encoder, candidates)
        scores[share] = found(near, _unit(views), _unit(rows), own)
    chosen = _simplest(scores)
    blend(encoder, tuned, frozen, chosen)
    return chosen, {share: float(each.mean()) for share, each in scores.items()}


def _simplest(scores: Mapping[float, np.ndarray]) -> float:
    """The smallest share whose pictures (H,) do no worse than the best share's, by the paired differences' error."""
    best = max(scores.values(), key=np.mean)
    behind = {share: best - each for share, each in scores.items()}
    return min(share for share, one in behind.items() if one.mean() <= one.std() / np.sqrt(len(one)))


def _unit(features: Tensor) -> np.ndarray:
    return torch.nn.functional.normalize(features, dim=-1).numpy()
