"""The perceptual hash: near to the library's, and its turned and flipped forms from its bits alone."""

from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageOps
from scipy.fft import dctn

from models.duplicates.hashes import distance, of_copy, packed, perceptual, symmetric, turned, unpacked
from models.embedding import WorkingCopyUnreadable
from tests.fixtures.scenes import saved, scene


def grey(seed: int) -> np.ndarray:
    return np.asarray(ImageOps.grayscale(scene(seed)))


def test_is_the_librarys_hash_but_for_the_median() -> None:
    agreed = 0
    for seed in range(20):
        ours = unpacked(np.array([perceptual(grey(seed))]))[0]
        theirs = imagehash.phash(Image.fromarray(grey(seed))).hash
        small = np.asarray(Image.fromarray(grey(seed)).resize((32, 32), Image.Resampling.LANCZOS), np.float64)
        frequencies = dctn(small)[:8, :8]
        between = (frequencies > min(0, np.median(frequencies))) & (frequencies <= max(0, np.median(frequencies)))
        differ = ours != theirs
        assert (differ <= between).all(), "only frequencies between 0 and the median differ"
        agreed += int((~differ).sum())
    assert agreed > 0.9 * 20 * 64


def test_forms_are_the_hashes_of_turned_pictures() -> None:
    for seed in range(10):
        forms = symmetric(np.array([perceptual(grey(seed))]))[0]
        for form, expected in enumerate(forms):
            found = np.int64(perceptual(turned(grey(seed), form)))
            assert distance(found, expected) <= 2, "but for rounding"


def test_forms_hold_every_turn_once() -> None:
    picture = np.arange(6, dtype=np.uint8).reshape(2, 3)
    seen = {(turned(picture, form).shape, turned(picture, form).tobytes()) for form in range(8)}
    assert len(seen) == 8


def test_packing_and_back() -> None:
    hashes = np.random.default_rng(0).integers(-(2**63), 2**63 - 1, 50)
    np.testing.assert_array_equal(packed(unpacked(hashes)), hashes)
    bits = [[bin((int(a) ^ int(b)) & (2**64 - 1)).count("1") for b in hashes] for a in hashes]
    np.testing.assert_array_equal(distance(hashes[:, None], hashes), bits)


def test_other_scenes_are_far() -> None:
    hashes = np.array([perceptual(grey(seed)) for seed in range(30)])
    apart = distance(symmetric(hashes)[:, None, :], hashes[None, :, None]).min(axis=2)
    assert apart[~np.eye(30, dtype=bool)].min() > 6


def test_of_a_working_copy(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(saved(scene(1)))
    digest, value = of_copy(path)
    assert len(digest) == 64 and distance(np.int64(value), np.int64(perceptual(grey(1)))) <= 2
    path.write_bytes(b"no picture")
    with pytest.raises(WorkingCopyUnreadable):
        of_copy(path)
    with pytest.raises(WorkingCopyUnreadable):
        of_copy(tmp_path / "none.jpg")
