"""How much of two pictures is the same, however one lies on the other."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from models.duplicates.overlay import Sheet, share_at_best, share_in_place
from tests.fixtures.scenes import cropped, edits, scene


def sheet(picture: Image.Image, stretched: bool = False) -> Sheet:
    return Sheet(np.asarray(ImageOps.grayscale(picture)), stretched)


@pytest.mark.parametrize("seed", range(3))
def test_copies_lie_on_each_other(seed: int) -> None:
    picture = scene(seed)
    copies = edits(picture)
    for name in ("tilted", "cropped", "bordered", "captioned", "half", "quarter turn", "grey"):
        assert share_at_best(sheet(picture), sheet(copies[name])) > 0.5, name
        assert share_at_best(sheet(copies[name]), sheet(picture)) > 0.5, name
    assert share_in_place(sheet(picture, True), sheet(copies["squeezed"], True)) > 0.9
    assert share_at_best(sheet(picture), sheet(picture)) == 1


def test_other_scenes_do_not() -> None:
    sheets = [sheet(scene(seed)) for seed in range(8)]
    shares = [share_at_best(a, b) for i, a in enumerate(sheets) for b in sheets[:i]]
    assert max(shares) < 0.3


def test_half_a_picture_in_common_counts_as_about_half() -> None:
    wide = scene(5, (480, 240))
    left, right = wide.crop((0, 0, 320, 240)), wide.crop((160, 0, 480, 240))
    assert 0.35 < share_at_best(sheet(left), sheet(right)) < 0.6
    small = cropped(scene(5), 0.7)
    assert share_at_best(sheet(scene(5)), sheet(small)) > 0.8, "the smaller one lies wholly on the other"


def test_pictures_without_detail_share_nothing() -> None:
    blank = [Sheet(np.full((64, 96), value, np.uint8)) for value in (0, 255)]
    assert share_at_best(*blank) == 0
    assert share_at_best(blank[0], blank[0]) == 0
