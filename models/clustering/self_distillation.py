"""Linear heads that teach themselves to give an image and its neighbours one cluster, and no cluster all images.

The loss of TEMI (Adaloglou et al. 2023, https://arxiv.org/abs/2303.17896, equations 5 to 7), for many heads at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.clustering.base import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Generator, Tensor

RATE, DECAY = 3e-3, 1e-4  # AdamW's
TEACHER = 0.98  # of the teacher that stays in a step
MARGINAL = 0.9  # of the running mean of what the teacher says of all images
START = 0.02  # standard deviation of the first weights
REPORTS = 200


@dataclass(frozen=True, eq=False)
class Heads:
    """weight (H, D, k) and bias (H, 1, k) of H linear classifiers."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]


def train_heads(
    rows: NDArray[np.float32],
    near: NDArray[np.int64],
    k: int,
    heads: int,
    steps: int,
    batch: int,
    beta: float,
    seed: int,
    progress: Progress,
) -> Heads:
    """(M, D) centred rows and (M, n) neighbours -> the teachers after so many steps; the same for one seed.

    On the GPU where there is one.
    """
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    draw = torch.Generator().manual_seed(seed)
    data, neighbours = torch.from_numpy(rows).to(device), torch.from_numpy(near)
    weight = (START * torch.randn(heads, rows.shape[1], k, generator=draw)).to(device).requires_grad_()
    bias = torch.zeros(heads, 1, k, device=device, requires_grad=True)
    teacher = [weight.detach().clone(), bias.detach().clone()]
    marginal = torch.full((heads, 1, k), 1 / k, device=device)
    optimizer = torch.optim.AdamW([weight, bias], lr=RATE, weight_decay=DECAY)
    for step, index in enumerate(_batches(len(rows), min(batch, len(rows)), steps, draw)):
        if step % max(1, steps // REPORTS) == 0:
            progress(step, steps)
        chosen = torch.randint(neighbours.shape[1], (len(index), 1), generator=draw)
        pair = data[torch.cat([index, neighbours[index].gather(1, chosen)[:, 0]]).to(device)]
        with torch.no_grad():
            taught = (pair @ teacher[0] + teacher[1]).softmax(-1)
            marginal = torch.lerp(taught.mean(1, keepdim=True), marginal, MARGINAL)
        loss = temi_loss((pair @ weight + bias).softmax(-1), taught, marginal, beta).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for slow, fast in zip(teacher, (weight, bias), strict=True):
                slow.lerp_(fast, 1 - TEACHER)
    progress(steps, steps)
    return Heads(*(one.cpu().numpy() for one in teacher))


def temi_loss(student: Tensor, teacher: Tensor, marginal: Tensor, beta: float) -> Tensor:
    """(H, 2B, k) probabilities of B images and then of a neighbour of each, (H, 1, k) the mean -> (H,) losses.

    Minus the pointwise mutual information of the two, weighted by how likely the teacher finds it that they share a
    cluster; beta < 1 keeps clusters from growing empty.
    """
    student_here, student_there = student.chunk(2, 1)
    teacher_here, teacher_there = teacher.chunk(2, 1)
    weight = (teacher_here * teacher_there).sum(-1)
    here = ((student_here * teacher_there) ** beta / marginal).sum(-1).log()
    there = ((student_there * teacher_here) ** beta / marginal).sum(-1).log()
    return -(weight * (here + there) / 2).mean(-1)


def predict(heads: Heads, rows: NDArray[np.float32]) -> NDArray[np.int32]:
    """(B, D) -> (B, H) the most likely cluster of each head."""
    scores = rows @ heads.weight + heads.bias
    return np.asarray(scores.argmax(-1).T, np.int32)


def _batches(images: int, batch: int, steps: int, draw: Generator) -> Iterator[Tensor]:
    """So many batches of image numbers, in ever new orders; what is left of an order is left out."""
    import torch

    order, at = torch.randperm(images, generator=draw), 0
    for _ in range(steps):
        if at + batch > images:
            order, at = torch.randperm(images, generator=draw), 0
        yield order[at : at + batch]
        at += batch
