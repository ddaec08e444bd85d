"""Any of Pillow's pixel modes to 8-bit sRGB on white."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsTransform

MAX_PROFILE_BYTES = 4 << 20
# A profile that moves no colour by more than this is sRGB in all but name: applying it would cost more than it gives.
SAME_COLOUR = 2

_LAB = b"LAB"
# Full scales in use: unit floats, 8, 12 and 16 bit.
_INTEGER_SCALES = (255.0, 4095.0, 65535.0)
_FLOAT_SCALES = (1.0, *_INTEGER_SCALES)


def resizable(picture: Image.Image) -> Image.Image:
    """The picture in a mode that can be resized without mixing what must not be mixed: palette indexes, the colour
    under transparent pixels. One of L, RGB, CMYK, I, F, La, RGBa."""
    mode = picture.mode
    if mode in ("La", "RGBa", "CMYK", "F", "I"):
        return picture
    if mode.startswith("I;16"):
        return picture.convert("I")
    if mode == "LAB":
        return _apply(picture, _LAB)
    if mode == "LA":
        return picture.convert("La")
    if picture.has_transparency_data:
        return _as(picture, "RGBA").convert("RGBa")
    return _as(picture, "L" if mode in ("1", "L") else "RGB")


def to_srgb(small: Image.Image, extrema: tuple[float, float] | None, profile: bytes | None) -> Image.Image:
    """A resized picture in mode RGB: sRGB, alpha on white.

    extrema: (lowest, highest) value before resizing, for the modes I and F. profile: the embedded ICC profile.
    """
    if extrema is not None:
        small = eight_bit(small, *extrema)
    if small.mode in ("La", "RGBa"):
        small = _on_white(small)
    return _apply(small, profile)


def eight_bit(image: Image.Image, low: float, high: float) -> Image.Image:
    """I or F to L. Values from 0 fill the smallest usual full scale that holds them, so that 12 bits in 16 are not
    black; anything else (elevation, temperature) is stretched from its lowest to its highest value."""
    scales = _FLOAT_SCALES if image.mode == "F" else _INTEGER_SCALES
    full = next((scale for scale in scales if low >= 0 and high <= scale), None)
    values = np.asarray(image, dtype=np.float64)
    if full is None:
        finite = values[np.isfinite(values)]
        low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
        values, full = values - low, max(high - low, 1e-300)
    shades = np.nan_to_num(values / full * 255, nan=0.0, posinf=255.0, neginf=0.0)
    return Image.fromarray(np.clip(np.rint(shades), 0, 255).astype(np.uint8))


def _as(picture: Image.Image, mode: str) -> Image.Image:
    """Pillow would copy what has the mode already; a copy of the largest pictures takes 200 MB."""
    return picture if picture.mode == mode else picture.convert(mode)


def _on_white(premultiplied: Image.Image) -> Image.Image:
    straight = premultiplied.convert("LA" if premultiplied.mode == "La" else "RGBA")
    white = Image.new(straight.mode, straight.size, "white")
    return Image.alpha_composite(white, straight).convert("L" if straight.mode == "LA" else "RGB")


def _apply(image: Image.Image, profile: bytes | None) -> Image.Image:
    transform = _transform(profile, image.mode) if profile and len(profile) <= MAX_PROFILE_BYTES else None
    if transform is None:
        return image if image.mode == "RGB" else image.convert("RGB")
    from PIL import ImageCms

    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None  # only inPlace=True answers None
    return converted


@lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> ImageCmsTransform | None:
    """profile -> sRGB for pixels of that mode; None when it is broken, made for other pixels, or sRGB already."""
    from io import BytesIO

    from PIL import ImageCms

    expected = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK", "LAB": "Lab"}[mode]
    try:
        source = ImageCms.createProfile("LAB") if profile == _LAB else ImageCms.getOpenProfile(BytesIO(profile)).profile
        if source.xcolor_space.strip() != expected:
            return None
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(source), ImageCms.createProfile("sRGB"), mode, "RGB"
        )
        return None if mode == "RGB" and _changes_nothing(transform) else transform
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None  # a broken profile says nothing about the colours; they are then taken as sRGB, as browsers do


def _changes_nothing(transform: ImageCmsTransform) -> bool:
    from PIL import ImageCms

    levels = np.linspace(0, 255, 8).astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(8, 64, 3)
    moved = np.asarray(ImageCms.applyTransform(Image.fromarray(colours), transform), dtype=np.int16)
    return bool(np.abs(moved - colours).max() <= SAME_COLOUR)
