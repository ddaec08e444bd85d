"""Two processes, each with half of every batch, against one with the whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.ssl.backbone import Backbone
from models.ssl.objective import synchronise
from tests.models.ssl.two_processes import BATCH, EPOCHS, IMAGES, RUNS, everything

ROOT = Path(__file__).parents[3]
STEPS = EPOCHS * (IMAGES // BATCH)


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What each of two processes saved. torchrun takes a free port."""
    folder = tmp_path_factory.mktemp("ranks")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*torchrun, "-m", "tests.models.ssl.two_processes", str(folder)],
        cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def together(ranks: Path) -> list[dict[str, Any]]:
    return [torch.load(ranks / f"{rank}.pt", weights_only=True) for rank in (0, 1)]


@pytest.fixture(scope="module")
def alone() -> dict[str, Any]:
    return everything()


def test_processes_end_equal(together: list[dict[str, Any]]) -> None:
    first, second = together
    for run, result in first.items():
        assert result["losses"] == second[run]["losses"]
        for name, value in result["state"].items():
            assert torch.equal(value, second[run]["state"][name]), (run, name)


@pytest.mark.parametrize("run", RUNS)
def test_two_processes_take_the_steps_of_one(together: list[dict[str, Any]], alone: dict[str, Any], run: str) -> None:
    ours, expected = together[0][run], alone[run]
    assert len(ours["losses"]) == len(ours["gradients"]) == STEPS
    assert ours["losses"] == pytest.approx(expected["losses"], rel=1e-5)
    assert ours["gradients"] == pytest.approx(expected["gradients"], rel=1e-5)
    for name, value in expected["state"].items():
        assert distance(name, ours["state"][name], value) < 1e-5, name


def distance(name: str, value: Tensor, expected: Tensor) -> float:
    """Relative to the length of the expected. Attention's softmax does not see the keys' bias, so its gradient is pure
    rounding, which AdamW makes as large as any: it may differ.
    """
    value, expected = value.double(), expected.double()
    if name.endswith("attn.qkv.bias"):
        value, expected = (bias.unflatten(0, (3, -1))[[0, 2]] for bias in (value, expected))
    return float((value - expected).norm() / expected.norm().clamp(min=1e-12))


def test_the_gradient_of_every_process_s_loss_flows_back(ranks: Path) -> None:
    """Losses are 1 and 2 times the sum of squares, of rows (1, 2) and (2, 2): so 3 * 2 * the value that a row is in."""
    first, second = (torch.load(ranks / f"{rank}-gradient.pt", weights_only=True) for rank in (0, 1))
    rows = torch.tensor([[1.0, 2.0], [2.0, 2.0]])
    for number, (value, gradient) in enumerate((first, second)):
        assert torch.equal(value, rows) and torch.equal(gradient, 6 * rows[number][None])


def test_synchronised_batch_norms_keep_their_activations() -> None:
    from timm.models import EfficientNet
    from timm.models._efficientnet_builder import decode_arch_def

    torch.manual_seed(0)
    network = EfficientNet(decode_arch_def([["ds_r1_k3_s1_e1_c8"], ["ir_r1_k3_s2_e2_c8"]]), num_classes=0, stem_size=8)
    backbone = Backbone(network, network.num_features, 1, "frozen").eval()
    pictures = torch.randn(2, 3, 16, 16)
    expected = backbone(pictures)
    synchronise(backbone)
    assert any(isinstance(module, nn.SyncBatchNorm) for module in backbone.tail.modules())
    assert torch.equal(backbone(pictures), expected)
    assert torch.equal(network(pictures), expected)
