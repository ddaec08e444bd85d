"""Rotation: the pixels of the turned copies, the loss against plain loops, and that traces of turning tell little."""

import math

import pytest
import torch

from models.ssl.backbone import Backbone
from models.ssl.base import Setting
from models.ssl.dataset import Key, ViewDataset
from models.ssl.methods.rotation import ANGLES, Params, Rotation
from models.ssl.networks import resnet18_cifar

SETTING = Setting(images=16, size=32, mean=(0.5, 0.4, 0.3), std=(0.2, 0.25, 0.3))


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.randint(0, 256, (16, 3, 48, 40), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def rotation(**params: object) -> Rotation:
    torch.manual_seed(0)
    return Rotation(Backbone(*resnet18_cifar(4)), Params.model_validate(params), SETTING)


def copies(method: Rotation, pictures: torch.Tensor, image: int = 3, draw: int = 5) -> dict[int, torch.Tensor]:
    """Angle -> the view that the loop makes of an image."""
    item = ViewDataset(pictures, method.views(), seed=1)[Key(image, draw, {})]
    return {angle: item[name] for name, angle in method.angles.items()}


@pytest.mark.parametrize("angles", ["quarters", "halves", "sideways", "eighths"])
def test_copies_show_the_same_crop_turned_by_exactly_the_angle(pictures: torch.Tensor, angles: str) -> None:
    views = copies(rotation(angles=angles), pictures)
    assert tuple(views) == ANGLES[angles]
    first, upright = next(iter(views.items()))
    for angle, view in views.items():
        assert view.shape == (3, 32, 32)
        if (angle - first) % 90 == 0:
            torch.testing.assert_close(view, torch.rot90(upright, (angle - first) // 90, (1, 2)), rtol=0, atol=1e-6)


def test_odd_eighths_are_quarter_turns_of_each_other_and_show_the_crop_turned_by_45_degrees() -> None:
    smooth = torch.linspace(0, 255, 64)[:, None] + torch.zeros(64, 64)  # brighter from top to bottom
    pictures = smooth.to(torch.uint8).expand(1, 3, 64, 64)
    views = copies(rotation(angles="eighths", crop=1.0), pictures, image=0)
    torch.testing.assert_close(views[135], torch.rot90(views[45], 1, (1, 2)), rtol=0, atol=1e-6)
    rows = torch.arange(32) - 15.5
    inside = (rows[:, None] ** 2 + rows**2 <= 14**2).double()
    for angle, view in views.items():
        grey = view[0].double() * inside
        down, right = (grey * rows[:, None] * inside).sum(), (grey * rows * inside).sum()
        error = math.degrees(math.atan2(right, down)) - angle
        assert abs((error + 180) % 360 - 180) < 1.0


def test_another_draw_shows_another_crop(pictures: torch.Tensor) -> None:
    method = rotation()
    assert not torch.equal(copies(method, pictures, draw=1)[0], copies(method, pictures, draw=2)[0])


def test_every_class_of_the_eighths_is_cut_to_the_same_circle(pictures: torch.Tensor) -> None:
    bright = pictures | 128  # no pixel has the mean colour by chance
    seen = [view.abs().sum(0) > 0 for view in copies(rotation(angles="eighths"), bright).values()]
    place = torch.arange(32) - 15.5
    distance = (place[:, None] ** 2 + place**2).sqrt()
    assert len(seen) == 8
    for mask in seen:
        assert torch.equal(mask, seen[0])
        assert mask[distance <= 15].all() and not mask[distance > 16].any()


def test_nothing_from_beyond_the_crop_is_within_the_circle() -> None:
    white = torch.full((1, 3, 64, 64), 255, dtype=torch.uint8)
    views = copies(rotation(angles="eighths"), white, image=0)
    for view in views.values():
        torch.testing.assert_close(view, views[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("side", [48, 200])
def test_sharpness_does_not_tell_odd_eighths_from_even_ones(side: int) -> None:
    """Turning by interpolation blurs; where only the odd ones are, their energy of edges in noise is a third."""
    noise = torch.randint(0, 256, (24, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))
    transforms = rotation(angles="eighths").views()
    two = ViewDataset(noise, {"0": transforms["turned0"], "45": transforms["turned45"]}, seed=1)
    energy: dict[str, list[float]] = {"0": [], "45": []}
    for image in range(len(noise)):
        views = two[Key(image, 0, {})]
        for angle in energy:
            inside = views[angle][:, 8:24, 8:24]
            edges = 4 * inside[:, 1:-1, 1:-1] - inside[:, :-2, 1:-1] - inside[:, 2:, 1:-1]
            edges = edges - inside[:, 1:-1, :-2] - inside[:, 1:-1, 2:]
            energy[angle].append(float(edges.square().mean().log()))
    assert abs(sum(energy["0"]) - sum(energy["45"])) / len(noise) < 0.1


@pytest.mark.parametrize("angles", ANGLES)
def test_loss_and_accuracy_are_those_of_plain_loops(pictures: torch.Tensor, angles: str) -> None:
    method = rotation(angles=angles).double().eval()
    batch = {name: torch.randn(2, 3, 16, 16, dtype=torch.float64) for name in method.views()}
    losses = method.loss({**batch, "index": torch.arange(2)})
    surprise, right = [], []
    for number, views in enumerate(batch.values()):
        for logits in method.head(method.encoder(views)):
            surprise.append(logits.exp().sum().log() - logits[number])
            right.append(float(int(logits.argmax()) == number))
    torch.testing.assert_close(losses["loss"], torch.stack(surprise).mean().float())
    assert float(losses["accuracy"]) == pytest.approx(sum(right) / len(right))
