"""Whatever the format, the mode and the profile: the working copy looks like the plain picture."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms

from models.images import FORMATS, normalise
from models.images.colour import eight_bit
from tests.models.images.scene import cosine, encoded, pixels, scene

PLAIN = pixels(normalise(encoded(scene(), "png"), "a.png").jpeg)
GREY = pixels(normalise(encoded(scene().convert("L"), "png"), "a.png").jpeg)


def copy(image: Image.Image, format: str, **options: object) -> np.ndarray:
    return pixels(normalise(encoded(image, format, **options), f"a.{format}").jpeg)


def half_clear(mode: str) -> Image.Image:
    """Opaque on the left, clear on the right, with garish colour hidden under the clear half."""
    image = scene().convert("RGB")
    image.paste((255, 0, 255), (150, 0, 300, 200))
    image.putalpha(Image.fromarray(np.repeat(np.arange(300)[None] < 150, 200, axis=0).astype(np.uint8) * 255))
    return image.convert(mode)


def on_white(mode: str) -> np.ndarray:
    image = scene().convert(mode).convert("RGB")
    image.paste((255, 255, 255), (150, 0, 300, 200))
    return copy(image, "png")


def test_the_plain_copy_is_the_picture_itself() -> None:
    expected = np.asarray(scene().resize((384, 256), Image.Resampling.LANCZOS), dtype=np.float64)
    assert PLAIN.shape == (256, 384, 3)
    assert np.abs(PLAIN - expected).mean() < 2


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_gives_the_plain_picture(format: str) -> None:
    assert cosine(copy(scene(), format), PLAIN) > 0.99


def sixteen_bit() -> Image.Image:
    return Image.fromarray(np.asarray(scene().convert("L")).astype(np.uint16) * 257)


GREYS: dict[str, Callable[[], tuple[Image.Image, str]]] = {
    "grey JPEG": lambda: (scene().convert("L"), "jpeg"),
    "LA": lambda: (scene().convert("LA"), "png"),
    "16 bit PNG": lambda: (sixteen_bit(), "png"),
    "16 bit TIFF": lambda: (sixteen_bit(), "tiff"),
    "12 bits in 16": lambda: (Image.fromarray(np.asarray(scene().convert("L")).astype(np.uint16) * 16), "tiff"),
    "32 bit integers": lambda: (Image.fromarray(np.asarray(scene().convert("L")).astype(np.int32) * 70_000), "tiff"),
    "floats to 1": lambda: (Image.fromarray(np.asarray(scene().convert("L")).astype(np.float32) / 255), "tiff"),
    "floats below 0": lambda: (Image.fromarray(np.asarray(scene().convert("L")).astype(np.float32) * 9 - 900), "tiff"),
}


@pytest.mark.parametrize("kind", GREYS)
def test_greys_of_any_depth(kind: str) -> None:
    image, format = GREYS[kind]()
    shades = copy(image, format)
    assert cosine(shades, GREY) > 0.99
    assert shades.mean() == pytest.approx(GREY.mean(), abs=60 if kind in ("32 bit integers", "floats below 0") else 3)


COLOURS: dict[str, Callable[[], tuple[Image.Image, str, dict[str, object]]]] = {
    "CMYK JPEG, inverted as Adobe does": lambda: (scene().convert("CMYK"), "jpeg", {}),
    "CMYK TIFF": lambda: (scene().convert("CMYK"), "tiff", {}),
    "palette": lambda: (scene().quantize(256), "png", {}),
    "opaque RGBA": lambda: (scene().convert("RGBA"), "png", {}),
    "YCbCr TIFF": lambda: (scene().convert("YCbCr"), "tiff", {}),
    "progressive": lambda: (scene(), "jpeg", {"progressive": True}),
    "4:4:4": lambda: (scene(), "jpeg", {"subsampling": 0}),
    "RGB JPEG": lambda: (scene(), "jpeg", {"keep_rgb": True}),
}


@pytest.mark.parametrize("kind", COLOURS)
def test_colour_modes(kind: str) -> None:
    image, format, options = COLOURS[kind]()
    assert cosine(copy(image, format, **options), PLAIN) > 0.99


@pytest.mark.parametrize(("mode", "format"), [("RGBA", "png"), ("RGBA", "webp"), ("RGBA", "avif"), ("LA", "png")])
def test_alpha_is_put_on_white(mode: str, format: str) -> None:
    expected = on_white("L" if mode == "LA" else "RGB")
    assert np.abs(copy(half_clear(mode), format) - expected).mean() < 6


def test_a_transparent_palette_entry_is_white() -> None:
    image = scene().quantize(255)
    image.putpalette([*image.getpalette()[:765], 255, 0, 255])
    image.paste(255, (150, 0, 300, 200))
    shades = copy(image, "png", transparency=255)
    assert np.abs(shades[:, 200:] - 255).mean() < 3
    assert cosine(shades[:, :180], PLAIN[:, :180]) > 0.98


def test_bilevel_pictures_become_black_and_white() -> None:
    image = scene().convert("L").point(lambda shade: 255 if shade > 120 else 0).convert("1")
    assert cosine(copy(image, "tiff", compression="group4"), copy(image.convert("RGB"), "png")) > 0.99


def tagged(profile: ImageCms.ImageCmsProfile, image: Image.Image, format: str) -> np.ndarray:
    return copy(image, format, icc_profile=profile.tobytes())


def swapping_profile() -> ImageCms.ImageCmsProfile:
    """A valid RGB profile in which what the file calls red is green: the sRGB one with two tags exchanged."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = {}
    for n in range(int.from_bytes(data[128:132], "big")):
        at = 132 + 12 * n
        tags[bytes(data[at : at + 4])] = at
    red, green = tags[b"rXYZ"], tags[b"gXYZ"]
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    return ImageCms.ImageCmsProfile(BytesIO(bytes(data)))


@pytest.mark.parametrize("format", ["jpeg", "png", "webp", "tiff", "avif"])
def test_an_icc_profile_is_applied(format: str) -> None:
    red, green, blue = scene().split()
    stored = Image.merge("RGB", (green, red, blue))
    assert cosine(copy(stored, format), PLAIN) < 0.7
    assert cosine(tagged(swapping_profile(), stored, format), PLAIN) > 0.99


def test_an_srgb_profile_changes_nothing() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    assert np.array_equal(tagged(srgb, scene(), "png"), PLAIN)


def test_lab_pixels_become_srgb() -> None:
    transform = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    lab = ImageCms.applyTransform(scene(), transform)
    assert cosine(copy(lab, "tiff"), PLAIN) > 0.99


@pytest.mark.parametrize("profile", [b"nonsense", b"\x00" * 3000, swapping_profile().tobytes()[:200]])
def test_a_broken_profile_is_ignored(profile: bytes) -> None:
    assert np.array_equal(copy(scene(), "png", icc_profile=profile), PLAIN)


def test_a_profile_for_other_pixels_is_ignored() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    assert np.array_equal(tagged(lab, scene(), "png"), PLAIN)


def test_values_that_are_no_numbers_are_black() -> None:
    values = np.array([[np.nan, 0.0], [50.0, 100.0]], dtype=np.float32)
    assert np.asarray(eight_bit(Image.fromarray(values), 0.0, 100.0)).tolist() == [[0, 0], [50, 100]]
    assert np.asarray(eight_bit(Image.fromarray(values), float("nan"), float("nan"))).tolist() == [[0, 0], [128, 255]]
