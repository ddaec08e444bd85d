"""Damaged bytes: every cut is noticed, and no flipped bit raises anything but ImageRejected."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from models.images import FORMATS, ImageRejected, normalise
from tests.models.images.scene import encoded, scene
from tests.models.images.test_header import FOREIGN, gif_of, png_claiming

CODES = {"image_corrupt", "image_too_large", "image_type_mismatch", "image_type_unsupported"}


def textured() -> Image.Image:
    """Noise, so that the compressed data reaches to the end of the file in every format."""
    noise = np.random.default_rng(0).normal(0, 25, (120, 160, 3))
    return Image.fromarray((np.asarray(scene(160, 120)) + noise).clip(0, 255).astype(np.uint8))


WHOLE = {format: encoded(textured(), format) for format in FORMATS}
WHOLE["progressive"] = encoded(textured(), "jpeg", progressive=True)
WHOLE["lzw"] = encoded(textured(), "tiff", compression="tiff_lzw")
WHOLE["lossless"] = encoded(textured(), "webp", lossless=True)


@pytest.mark.parametrize("kind", WHOLE)
def test_a_cut_picture_is_corrupt(kind: str) -> None:
    data = WHOLE[kind]
    assert normalise(data, "").width == 160
    for percent in range(1, 100):
        with pytest.raises(ImageRejected) as refused:
            normalise(data[: len(data) * percent // 100], "")
        assert refused.value.code == "image_corrupt", percent


def test_a_cut_after_the_first_frame_of_a_gif_is_noticed() -> None:
    frames = [textured().rotate(turn) for turn in (0, 90, 180)]
    data = encoded(frames[0], "gif", save_all=True, append_images=frames[1:])
    with pytest.raises(ImageRejected, match="image_corrupt"):
        normalise(data[: len(data) * 9 // 10], "a.gif")


@settings(max_examples=250, deadline=None)
@given(kind=st.sampled_from(sorted(WHOLE)), data=st.data())
def test_flipped_bits_are_survived_or_rejected(kind: str, data: st.DataObject) -> None:
    flipped = bytearray(WHOLE[kind])
    # half of the flips near the start, where the structure is
    place = st.one_of(st.integers(0, 200), st.integers(0, len(flipped) - 1))
    for at, bit in data.draw(st.lists(st.tuples(place, st.integers(0, 7)), min_size=1, max_size=8)):
        flipped[at] ^= 1 << bit
    try:
        assert normalise(bytes(flipped), "").jpeg
    except ImageRejected as refused:
        assert refused.code in CODES
        assert 10 < len(refused.detail) < 400


def test_damaged_jpeg_data_is_noticed_although_the_length_is_right() -> None:
    data = WHOLE["jpeg"]
    middle = len(data) // 2
    with pytest.raises(ImageRejected, match="image_corrupt"):
        normalise(data[:middle] + data[-2:], "")


def test_stray_bytes_between_jpeg_segments_are_forgiven() -> None:
    data = WHOLE["jpeg"]
    table = data.index(b"\xff\xdb")
    assert normalise(data[:table] + bytes(5) + data[table:], "a.jpg").jpeg


def test_bombs_are_too_large() -> None:
    for bomb, name in ((png_claiming(65_000, 65_000), "a.png"), (gif_of(10_000), "a.gif"), (gif_of(60, 1000), "a.gif")):
        with pytest.raises(ImageRejected) as refused:
            normalise(bomb, name)
        assert refused.value.code == "image_too_large"


@pytest.mark.parametrize("kind", FOREIGN)
def test_no_other_decoder_is_ever_asked(kind: str) -> None:
    with pytest.raises(ImageRejected, match="image_type_unsupported"):
        normalise(FOREIGN[kind], "a.jpg")


def test_the_name_is_held_against_the_content() -> None:
    with pytest.raises(ImageRejected, match="image_type_mismatch"):
        normalise(WHOLE["png"], "a.jpg")
