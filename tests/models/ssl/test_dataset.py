"""The same key gives the same views, wherever they are made."""

import io
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2

from models.embedding import WorkingCopyUnreadable
from models.ssl.base import Setting, Views
from models.ssl.dataset import Key, ViewDataset, WorkingCopies, ranks
from models.ssl.views import contrastive, plain
from tests.models.ssl.runs import SIZE, shapes

SETTING = Setting(8, SIZE, (0.5,) * 3, (0.5,) * 3)
KEYS = [[Key(3, 0, {}), Key(5, 0, {}), Key(3, 1, {})], [Key(0, 2, {"second": 7}), Key(1, 9, {})]]


def two() -> Views:
    view = contrastive(SETTING, 0.3)
    return {"first": view, "second": view}


def crop() -> v2.RandomResizedCrop:
    return v2.RandomResizedCrop(8, (0.3, 1.0), antialias=True)


def batches(keys: list[list[Key]], workers: int = 0, seed: int = 0) -> list[dict[str, Tensor]]:
    return list(ViewDataset(shapes(8), two(), seed).batches(keys, workers))


def test_a_batch_holds_the_index_and_every_view() -> None:
    first, second = batches(KEYS)
    assert first["index"].tolist() == [3, 5, 3] and second["index"].tolist() == [0, 1]
    assert first["index"].dtype == torch.int64
    for name in ("first", "second"):
        assert first[name].shape == (3, 3, SIZE, SIZE) and first[name].dtype == torch.float32


def test_worker_processes_make_the_same_views_in_the_same_order() -> None:
    for here, there in zip(batches(KEYS), batches(KEYS, workers=1), strict=True):
        assert here.keys() == there.keys()
        assert all(torch.equal(here[name], there[name]) for name in here)


def test_views_follow_from_the_key_alone() -> None:
    """Neither from what was drawn before, nor from the state of torch's generator."""
    alone = batches([[Key(3, 1, {})]])[0]
    torch.rand(17)
    among = batches(KEYS)[0]
    assert torch.equal(alone["first"][0], among["first"][2]) and torch.equal(alone["second"][0], among["second"][2])


@pytest.mark.parametrize(
    ("one", "other"),
    [((Key(3, 0, {}), 0), (Key(3, 1, {}), 0)), ((Key(3, 0, {}), 0), (Key(3, 0, {}), 1))],
    ids=["another draw", "another seed"],
)
def test_views_differ(one: tuple[Key, int], other: tuple[Key, int]) -> None:
    first, second = (batches([[key]], seed=seed)[0] for key, seed in (one, other))
    assert not torch.equal(first["first"], second["first"])
    assert not torch.equal(first["second"], second["second"])


def test_names_that_share_a_transform_differ_and_never_meet_again() -> None:
    found = [batch[name] for batch in batches([[Key(3, draw, {})] for draw in range(6)]) for name in two()]
    assert all(not torch.equal(a, b) for i, a in enumerate(found) for b in found[:i])


def test_names_of_different_transforms_share_the_crop() -> None:
    colour = v2.Compose([crop(), v2.Grayscale(3)])
    dataset = ViewDataset(shapes(8), {"plain": crop(), "grey": colour}, 0)
    for draw in range(4):
        item = dataset[Key(3, draw, {})]
        assert torch.equal(v2.functional.rgb_to_grayscale(item["plain"], 3), item["grey"])


def test_a_view_is_made_of_its_source() -> None:
    view = plain(SETTING)
    dataset = ViewDataset(shapes(8), {"itself": view, "neighbour": view}, 0)
    item = dataset[Key(3, 0, {"neighbour": 6})]
    assert int(item["index"]) == 3
    assert torch.equal(item["itself"], view(shapes(8)[3]))
    assert torch.equal(item["neighbour"], view(shapes(8)[6]))


def test_ranks_count_the_names_of_each_transform() -> None:
    one, other = crop(), crop()
    assert ranks({"a": one, "b": other, "c": one, "d": one}) == {"a": (0, 3), "b": (0, 1), "c": (1, 3), "d": (2, 3)}


@pytest.mark.parametrize(("draws", "made"), [(1, 3), (2, 4), (6, 12)])
def test_how_many_views_are_made(draws: int, made: int) -> None:
    """At least as many of each transform as there are names for it."""
    one, other = crop(), crop()
    assert ViewDataset(shapes(8), {"a": one, "b": other, "c": one}, 0).made(draws) == 8 * made


def written(folder: Path, pixels: Tensor, name: str, mode: str = "RGB") -> Path:
    file = io.BytesIO()
    Image.fromarray(pixels.permute(1, 2, 0).numpy()).convert(mode).save(file, "JPEG", quality=95)
    path = folder / name
    path.write_bytes(file.getvalue())
    return path


def test_working_copies_are_read_as_rgb(tmp_path: Path) -> None:
    colour = torch.zeros(3, 24, 32, dtype=torch.uint8)
    colour[0] = 200
    pictures = WorkingCopies([written(tmp_path, colour, "red.jpg"), written(tmp_path, colour, "grey.jpg", "L")])
    assert len(pictures) == 2
    assert pictures[0].shape == pictures[1].shape == (3, 24, 32) and pictures[0].dtype == torch.uint8
    assert (pictures[0].float() - colour.float()).abs().max() <= 3
    assert torch.equal(pictures[1][0], pictures[1][2])


@pytest.mark.parametrize("workers", [0, 1])
def test_a_working_copy_that_cannot_be_read_is_named(tmp_path: Path, workers: int) -> None:
    good = written(tmp_path, shapes(1)[0], "good.jpg")
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(good.read_bytes()[:30])
    for broken in (bad, tmp_path / "gone.jpg"):
        dataset = ViewDataset(WorkingCopies([good, broken]), two(), 0)
        with pytest.raises(WorkingCopyUnreadable, match=broken.name):
            list(dataset.batches([[Key(0, 0, {}), Key(1, 0, {})]], workers))
        if workers:
            break  # once: starting a worker takes a second
