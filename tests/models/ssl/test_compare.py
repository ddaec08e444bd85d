"""Which images are held out, and what encoders are measured by."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from models.ssl import compare
from models.ssl.compare import LEAST, MOST, MOST_VIEWS, SHARE, HeldOut, held_out, labelled, unlabelled
from tests.models.ssl.runs import shapes


def hashes(count: int, first: int = 0) -> list[str]:
    return [hashlib.sha256(str(number).encode()).hexdigest() for number in range(first, first + count)]


def kept(collection: list[str]) -> set[str]:
    return {collection[row] for row in held_out(collection)}


@pytest.mark.parametrize(
    ("images", "count"), [(32, LEAST), (79, LEAST), (100, 10), (1000, 100), (5120, 512), (20_000, MOST)]
)
def test_a_tenth_is_held_out_but_neither_few_nor_many(images: int, count: int) -> None:
    assert len(held_out(hashes(images))) == count
    assert SHARE == 0.1


@given(st.integers(32, 400), st.randoms(use_true_random=False))
def test_rows_are_sorted_unique_and_the_same_images_in_any_order(images: int, random: object) -> None:
    collection = hashes(images)
    rows = held_out(collection)
    assert rows == sorted(set(rows)) and rows[0] >= 0 and rows[-1] < images
    shuffled = list(collection)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert kept(shuffled) == kept(collection)


def test_the_rest_is_trained_on_and_nothing_is_both() -> None:
    """How finetune.py splits: by row. Equal originals are one image in a collection, so no two rows are the same."""
    collection = hashes(300)
    trained = {one for row, one in enumerate(collection) if row not in set(held_out(collection))}
    assert trained.isdisjoint(kept(collection)) and len(trained) == 270


@pytest.mark.parametrize("added", [1, 10, 100])
def test_most_stay_held_out_when_images_are_added(added: int) -> None:
    before, after = kept(hashes(1000)), kept(hashes(1000 + added))
    assert len(before & after) >= 100 - 0.15 * added
    fresh = set(hashes(added, first=1000))
    assert len(after - before - fresh) <= 0.15 * added  # trained on before, and held out now


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("copies")
    for row, picture in enumerate(shapes(3)):
        Image.fromarray(picture.permute(1, 2, 0).numpy()).resize((40, 30)).save(folder / f"{row}.jpg")
    return sorted(folder.iterdir())


class Means:
    """An engine: the mean colour of a picture's upper and lower half, of length one."""

    batch = 2

    def run(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        for pixels in batches:
            assert pixels.dtype == np.uint8 and pixels.ndim == 4 and len(pixels) <= self.batch
            halves = np.stack([part.mean(axis=(1, 2)) for part in np.split(pixels, 2, axis=1)], axis=1)
            flat = halves.reshape(len(pixels), -1)
            yield (flat / np.linalg.norm(flat, axis=1, keepdims=True)).astype(np.float32)


def test_the_views_are_the_same_every_time_and_differ_from_one_another(paths: list[Path]) -> None:
    once, again = HeldOut(paths, 16), HeldOut(paths, 16)
    assert once.pixels.shape == (3, MOST_VIEWS, 16, 16, 3) and once.pixels.dtype == np.uint8
    assert np.array_equal(once.pixels, again.pixels)
    assert np.array_equal(HeldOut(paths[:2], 16).pixels, once.pixels[:2])
    flat = once.pixels.reshape(3 * MOST_VIEWS, -1)
    assert len(np.unique(flat, axis=0)) == len(flat)


def test_many_images_have_fewer_views_each(paths: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = HeldOut(paths, 16).pixels
    monkeypatch.setattr(compare, "VIEWS", 9)
    assert np.array_equal(HeldOut(paths, 16).pixels, whole[:, :3])
    assert HeldOut(paths * 4, 16).pixels.shape[:2] == (12, 2), "two at least: retrieval asks one for the other"


def test_vectors_belong_to_their_views(paths: list[Path]) -> None:
    views = HeldOut(paths, 16)
    engine = Means()
    found = views.vectors(engine)  # type: ignore[arg-type]
    assert found.shape == (3, MOST_VIEWS, 6)
    for image in range(3):
        for view in (0, 7, 15):
            (expected,) = engine.run([views.pixels[image, view][None]])
            np.testing.assert_array_equal(found[image, view], expected[0])


def test_without_labels_retrieval_spread_and_rank_are_measured() -> None:
    rng = np.random.default_rng(0)
    plain = rng.normal(size=(20, 8))
    found = unlabelled(plain, np.stack([plain, plain], axis=1))
    assert found.keys() == {"retrieval", "spread", "rankme"}
    assert found["retrieval"] == 1 and found["spread"] > 0.9 and found["rankme"] > 6


def test_only_images_with_a_label_count() -> None:
    kinds = [f"kind {row % 2}" for row in range(40)]
    rows = np.eye(4)[np.arange(40) % 2] + np.random.default_rng(0).normal(0, 0.05, (40, 4))
    unknown = np.random.default_rng(1).normal(size=(20, 4))
    found = labelled(np.concatenate([unknown, rows]), [None] * 20 + kinds)
    assert found == labelled(rows, kinds)
    assert found["knn"] == found["nmi"] == found["ari"] == found["accuracy"] == 1
    assert {f"linear_{share}" for share in (1, 10, 20, 100)} <= found.keys()


@pytest.mark.parametrize("labels", [None, [], [None] * 6, ["one"] * 6, ["one", None] * 3])
def test_labels_of_fewer_than_two_kinds_say_nothing(labels: list[str | None] | None) -> None:
    assert labelled(np.eye(6), labels) == {}
