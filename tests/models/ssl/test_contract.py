"""What every SSL method must keep, whatever it does inside."""

from pathlib import Path
from typing import Any

import pytest
import torch

from models import registry
from models.evaluation.features import spread
from models.ssl.checkpoint import FileCheckpoints
from models.ssl.fit import fit
from models.ssl.health import COLLAPSED_BELOW
from models.ssl.objective import move_teachers
from tests.models.ssl.runs import Alone, Killed, killed_at, shapes, small, unequal, without_time

METHODS = registry.names("ssl.methods")
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in METHODS),
    ("instance", {"parametric": True}),
    ("moco", {"version": "v1"}),
]
every_method = pytest.mark.parametrize(("name", "params"), VARIANTS, ids=lambda one: str(one))
QUICK: dict[str, dict[str, Any]] = {
    "moco": {"temperature": 0.07},
    "swav": {"prototypes": 16},
    "dino": {"prototypes": 256, "local_crops": 2},
    "vicreg": {"expansion": 256},
}


@every_method
def test_a_resumed_run_equals_an_uninterrupted_one(name: str, params: dict[str, Any], tmp_path: Path) -> None:
    """Killed twice: within its first epoch and within its second. Three steps an epoch, a checkpoint after each."""
    train, held_out = shapes(48), shapes(8, seed=1)
    whole = small(name, images=48, epochs=2, **QUICK.get(name, {}), **params)
    expected = fit(whole, train, held_out)
    checkpoints = FileCheckpoints(tmp_path / "checkpoint")
    for step in (2, 5):
        with pytest.raises(Killed):
            fit(
                small(name, images=48, epochs=2, **QUICK.get(name, {}), **params), train, held_out,
                checkpoints=checkpoints, save_every_s=0, report=killed_at(step),
            )  # fmt: skip
        torch.rand(step)  # another process would have another state of the generator
    resumed = small(name, images=48, epochs=2, **QUICK.get(name, {}), **params)
    found = fit(resumed, train, held_out, checkpoints=checkpoints, save_every_s=0)
    assert without_time(found) == without_time(expected)
    assert unequal(whole, resumed) == []


@every_method
def test_it_learns_64_pictures_by_heart_and_does_not_collapse(name: str, params: dict[str, Any]) -> None:
    """The same views again and again. DINO's loss holds the entropy of its targets, which nobody can learn away."""
    method, run = small(name, **QUICK.get(name, {}), **params), Alone(shapes(64))
    before = spread(run.encode(method).numpy())
    method.start_epoch(run)
    method.train()
    optimizer = torch.optim.AdamW(method.param_groups(), lr=3e-3)
    found, batch = [], run.batch(method)
    for step in range(40):
        losses = method.loss(batch)
        optimizer.zero_grad()
        losses["loss"].backward()
        optimizer.step()
        move_teachers(method, step / 40)
        method.after_step(batch, step / 40)
        found.append(float((losses["loss"] - losses.get("entropy", 0.0)).detach()))
    assert max(found[-5:]) < 0.8 * max(found), found
    assert spread(run.encode(method).numpy()) > COLLAPSED_BELOW * min(1.0, before)
