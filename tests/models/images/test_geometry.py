"""Size and orientation of a working copy."""

from io import BytesIO

import numpy as np
import pytest
from PIL import ExifTags, Image

from models.images import halved, normalise, render
from models.images.decode import crop_box, decode, target_size
from tests.models.images.scene import cosine, encoded, pixels, scene

# Stored pixels for each orientation, so that the viewer's turn gives the scene (EXIF 2.32, tag 0x0112).
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("format", ["jpeg", "png", "webp", "tiff", "heic", "avif"])
@pytest.mark.parametrize("orientation", STORED)
def test_every_orientation_stands_upright(orientation: int, format: str) -> None:
    turn = STORED[orientation]
    stored = scene() if turn is None else scene().transpose(turn)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    # HEIC and AVIF writers turn the tag into a box of their own, which their decoders obey
    copy = normalise(encoded(stored, format, exif=exif), f"a.{format}")
    assert (copy.width, copy.height) == (300, 200)
    upright = np.asarray(scene().resize((384, 256), Image.Resampling.BICUBIC), dtype=np.float64)
    assert cosine(pixels(copy.jpeg), upright) > 0.998


@pytest.mark.parametrize("orientation", [0, 9, 60_000])
def test_an_orientation_that_does_not_exist_turns_nothing(orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    assert normalise(encoded(scene(), "jpeg", exif=exif), "a.jpg").width == 300


@pytest.mark.parametrize("format", ["jpeg", "png"])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (30, 20), (257, 256), (500, 375), (1600, 1100), (1023, 2048)])
def test_the_short_side_is_256_and_the_aspect_kept(width: int, height: int, format: str) -> None:
    copy = normalise(encoded(scene(width, height), format), "")
    rows, columns, _ = pixels(copy.jpeg).shape
    assert min(rows, columns) == 256
    assert columns / rows == pytest.approx(width / height, rel=0.005)
    assert (copy.width, copy.height) == (width, height)


@pytest.mark.parametrize("format", ["jpeg", "png"])
def test_a_long_strip_keeps_its_middle(format: str) -> None:
    strip = Image.new("RGB", (6000, 20), (0, 0, 255))
    strip.paste((255, 0, 0), (2800, 0, 3200, 20))
    copy = normalise(encoded(strip, format), "")
    shown = pixels(copy.jpeg)
    assert shown.shape == (256, 2048, 3)
    assert shown[:, 20:-20, 0].min() > 200  # 160 x 20 of the red middle; JPEG rings at the edges
    assert (copy.width, copy.height) == (6000, 20)


@pytest.mark.parametrize("factor", [1.0, 1.4, 2.0, 3.3, 8.0])
def test_the_fast_way_for_jpeg_agrees_with_the_slow_one(factor: float) -> None:
    width, height = round(384 * factor) + 1, round(256 * factor) + 1
    data = encoded(scene(width, height), "jpeg", quality=95)
    slow = encoded(Image.open(BytesIO(data)), "bmp")
    fast, whole = (np.asarray(decode(*source, 256).image, dtype=float) for source in ((data, "jpeg"), (slow, "bmp")))
    assert fast.shape == whole.shape
    assert np.abs(fast - whole).mean() < 1.5


def test_a_thumbnail_is_the_same_picture_larger() -> None:
    data = encoded(scene(1800, 1200), "jpeg")
    large = pixels(render(data, 1024))
    assert large.shape == (1024, 1536, 3)
    small = Image.fromarray(large.astype(np.uint8)).resize((384, 256), Image.Resampling.BICUBIC)
    assert cosine(np.asarray(small, dtype=float), pixels(normalise(data, "").jpeg)) > 0.998


def test_a_thumbnail_is_not_enlarged_beyond_the_picture() -> None:
    assert pixels(render(encoded(scene(600, 400), "png"), 1024)).shape == (400, 600, 3)
    assert pixels(render(encoded(scene(60, 40), "png"), 1024)).shape == (256, 384, 3)


@pytest.mark.parametrize(("width", "height"), [(300, 200), (200, 300), (256, 256), (400, 33), (1000, 10)])
def test_half_a_working_copy_is_the_same_picture(width: int, height: int) -> None:
    working = normalise(encoded(scene(width, height), "png"), "").jpeg
    whole, half = pixels(working), pixels(halved(working))
    assert half.shape == (-(-whole.shape[0] // 2), -(-whole.shape[1] // 2), 3) and min(half.shape[:2]) == 128
    small = Image.fromarray(whole.astype(np.uint8)).resize(half.shape[1::-1], Image.Resampling.BICUBIC)
    assert cosine(np.asarray(small, dtype=float), half) > 0.998


def test_boxes_and_sizes() -> None:
    assert crop_box(100, 50) == (0, 0, 100, 50)
    assert crop_box(1000, 10) == (460, 0, 540, 10)
    assert crop_box(10, 1000) == (0, 460, 10, 540)
    assert target_size((460, 0, 540, 10), 256) == (2048, 256)
    assert target_size((0, 0, 4000, 3000), 1024) == (1365, 1024)
