"""Maps of the frozen trunk: what they hold, what is drawn from them, and a disk without room for them."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision.transforms import v2

from models.disk import DiskFull
from models.ssl.backbone import Backbone
from models.ssl.base import Setting
from models.ssl.dataset import Key, ViewDataset
from models.ssl.maps import MapDataset, Trunk, through_trunk
from models.ssl.networks import resnet18_cifar
from models.ssl.views import contrastive
from tests.models.ssl.runs import SIZE, shapes

IMAGES, DRAWS = 5, 4
SETTING = Setting(IMAGES, SIZE, (0.5,) * 3, (0.5,) * 3)


@pytest.fixture(scope="module")
def trunk() -> nn.Module:
    torch.manual_seed(0)
    return Backbone(*resnet18_cifar(4), 3).eval().trunk


@pytest.fixture(scope="module")
def source() -> ViewDataset:
    """Two names of one transform and a third of another."""
    view = contrastive(SETTING, 0.3)
    small = v2.Compose([contrastive(SETTING, 0.3), v2.CenterCrop(8)])
    return ViewDataset(shapes(IMAGES), {"first": view, "second": view, "small": small}, seed=3)


@pytest.fixture(scope="module")
def counted() -> list[int]:
    return []


@pytest.fixture(scope="module")
def maps(
    trunk: nn.Module, source: ViewDataset, counted: list[int], tmp_path_factory: pytest.TempPathFactory
) -> MapDataset:
    return through_trunk(source, Trunk(trunk), tmp_path_factory.mktemp("maps") / "new", DRAWS, 0, counted.append)


def every_draw(source: ViewDataset, trunk: nn.Module, name: str) -> Tensor:
    """(N, V, ...) by torch, one at a time."""
    transform = source.views[name]
    with torch.no_grad():
        return torch.stack(
            [
                torch.stack([trunk(source.draw(transform, image, draw)[None])[0] for draw in range(DRAWS)])
                for image in range(IMAGES)
            ]
        )


@pytest.mark.parametrize("name", ["first", "small"])
def test_they_are_what_the_trunk_gives_rounded_to_half(
    maps: MapDataset, source: ViewDataset, trunk: nn.Module, name: str
) -> None:
    """Every draw of every image in its place; OpenVINO's sums differ from torch's in the last bits."""
    expected = every_draw(source, trunk, name)
    found = maps.maps[name]
    assert found.shape == expected.shape and found.dtype == np.float16
    np.testing.assert_allclose(found.astype(np.float32), expected.numpy(), rtol=1e-3, atol=1e-3 * expected.std().item())


def test_every_view_is_counted_once(maps: MapDataset, source: ViewDataset, counted: list[int]) -> None:
    assert sum(counted) == source.made(DRAWS) == IMAGES * DRAWS * 2


def test_names_of_one_transform_share_their_maps(maps: MapDataset) -> None:
    assert maps.maps["first"] is maps.maps["second"]
    assert maps.maps["first"] is not maps.maps["small"]


def drawn(maps: MapDataset, *keys: Key) -> dict[str, Tensor]:
    (batch,) = maps.batches([list(keys)], 0)
    return batch


def place(maps: MapDataset, name: str, view: Tensor) -> tuple[int, int]:
    """Which image's which draw a view is."""
    found = (maps.maps[name] == view.numpy()).reshape(IMAGES, DRAWS, -1).all(axis=2)
    ((image, draw),) = np.argwhere(found).tolist()
    return image, draw


def test_a_key_draws_the_same_views_alone_and_among_others(maps: MapDataset) -> None:
    key = Key(3, 17, {})
    alone, among = drawn(maps, key), drawn(maps, Key(0, 17, {}), Key(3, 2, {}), key)
    assert alone["index"].tolist() == [3] and among["index"].tolist() == [0, 3, 3]
    for name in ("first", "second", "small"):
        assert torch.equal(alone[name][0], among[name][2])


def test_what_is_drawn_are_views_of_the_image_and_in_time_all_of_them(maps: MapDataset) -> None:
    batches = [drawn(maps, Key(3, draw, {})) for draw in range(40)]
    for name in ("first", "second", "small"):
        places = {place(maps, name, batch[name][0]) for batch in batches}
        assert places == {(3, draw) for draw in range(DRAWS)}


def test_names_of_one_transform_never_draw_the_same_view(maps: MapDataset) -> None:
    for draw in range(40):
        batch = drawn(maps, Key(1, draw, {}))
        assert place(maps, "first", batch["first"][0]) != place(maps, "second", batch["second"][0])


def test_names_of_different_transforms_share_their_crop(maps: MapDataset) -> None:
    """As without maps: "first" and "small" stem from the same random numbers."""
    for draw in range(10):
        batch = drawn(maps, Key(2, draw, {}))
        assert place(maps, "first", batch["first"][0]) == place(maps, "small", batch["small"][0])


def test_a_view_is_drawn_from_its_source(maps: MapDataset) -> None:
    batch = drawn(maps, Key(1, 0, {"second": 4}))
    assert place(maps, "first", batch["first"][0])[0] == 1
    assert place(maps, "second", batch["second"][0])[0] == 4


def test_there_are_at_least_as_many_draws_as_names(trunk: nn.Module, source: ViewDataset, tmp_path: Path) -> None:
    made = through_trunk(source, Trunk(trunk), tmp_path, 1, 0, lambda _: None)
    assert made.maps["first"].shape[1] == 2 and made.maps["small"].shape[1] == 1


def test_batches_come_out_in_order_whatever_is_in_flight(trunk: nn.Module) -> None:
    batches = [torch.full((2 + number % 3, 3, SIZE, SIZE), number / 10) for number in range(12)]
    found = [outputs.copy() for outputs in Trunk(trunk).run(iter(batches))]
    with torch.no_grad():
        for batch, outputs in zip(batches, found, strict=True):
            np.testing.assert_allclose(outputs, trunk(batch).numpy(), rtol=1e-3, atol=1e-4)


def full_at(call: int) -> Callable[[int, int, int], None]:
    calls = 0
    allocate = os.posix_fallocate

    def posix_fallocate(handle: int, offset: int, length: int) -> None:
        nonlocal calls
        calls += 1
        if calls == call:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        allocate(handle, offset, length)

    return posix_fallocate


def test_a_disk_without_room_for_them_is_named_and_nothing_half_made_stays(
    trunk: nn.Module, source: ViewDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "posix_fallocate", full_at(2))
    with pytest.raises(DiskFull) as caught:
        through_trunk(source, Trunk(trunk), tmp_path, DRAWS, 0, lambda _: None)
    assert caught.value.code == "storage_full"
    assert [file.name for file in tmp_path.iterdir()] == ["maps-0.npy"]  # the first transform's, whole


def test_their_room_is_taken_before_they_are_made(trunk: nn.Module, source: ViewDataset, tmp_path: Path) -> None:
    """A memory map over a hole in a file would kill the process when the disk is full at last."""

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        through_trunk(source, Trunk(trunk), tmp_path, DRAWS, 0, stop)
    state = (tmp_path / "maps-0.npy").stat()
    assert state.st_size > IMAGES * DRAWS * 2 and state.st_blocks * 512 >= state.st_size
