"""A part of a picture: the square around a box drawn on the picture as it is displayed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from models.images import normalise
from models.images.part import LEAST_PIXELS, MARGIN, framed
from tests.models.images.scene import cosine, encoded, pixels, scene
from tests.models.images.test_geometry import STORED

fraction = st.floats(0, 1, allow_nan=False)


@pytest.mark.parametrize("format", ["jpeg", "png", "webp", "heic"])
@pytest.mark.parametrize("orientation", STORED)
def test_is_cut_from_the_displayed_picture(orientation: int, format: str) -> None:
    turn = STORED[orientation]
    stored = scene() if turn is None else scene().transpose(turn)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    # 300 x 200, in the middle of which lies what a box of 84 x 70 around (180, 80) frames: 96 x 96
    part = ((180 - 42) / 300, (80 - 35) / 200, 84 / 300, 70 / 200)
    copy = normalise(encoded(stored, format, exif=exif), f"a.{format}", part=part)
    expected = scene().resize((256, 256), Image.Resampling.BICUBIC, (132, 32, 228, 128))
    assert pixels(copy.jpeg).shape == (256, 256, 3) and (copy.width, copy.height) == (300, 200)
    assert cosine(pixels(copy.jpeg), np.asarray(expected, dtype=np.float64)) > 0.998


@given(x=fraction, y=fraction, width=fraction, height=fraction, orientation=st.integers(1, 8))
def test_lies_within_what_is_displayed(x: float, y: float, width: float, height: float, orientation: int) -> None:
    shown = (100.0, 0.0, 740.0, 480.0)
    left, top, right, bottom = framed((x, y, width * (1 - x), height * (1 - y)), shown, orientation)
    assert 100 <= left < right <= 740 and 0 <= top < bottom <= 480
    assert right - left == pytest.approx(bottom - top) or bottom - top == 480
    assert right - left >= LEAST_PIXELS


def test_margins_corners_and_clicks() -> None:
    shown = (0.0, 0.0, 448.0, 224.0)
    assert framed((0.25, 0, 0.5, 1), shown, 1) == (96, 0, 352, 224), "the margin goes on where there is picture"
    assert framed((0, 0, 0.125, 0.25), shown, 1) == (0, 0, 64, 64), "at an edge the square moves inwards"
    left, _, right, _ = framed((0.5, 0.5, 0, 0), shown, 1)
    assert right - left == pytest.approx(LEAST_PIXELS * MARGIN)
    assert framed((0, 0, 1, 1), shown, 6) == shown


def test_the_whole_picture_is_its_working_copy() -> None:
    data = encoded(scene(), "png")
    assert normalise(data, "", part=(0, 0, 1, 1)).jpeg == normalise(data, "").jpeg
