"""Bytes to a small upright sRGB picture: the one decoder behind working copies, thumbnails and queries."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from io import BytesIO

import simplejpeg
from PIL import Image

from models.images.colour import resizable, to_srgb
from models.images.exif import Capture, read_capture
from models.images.header import check_pixels
from models.images.part import Box, Part, framed
from models.images.rejection import ImageRejected

WORKING_SIZE = 256
# The long side is at most this many short sides (2048 at 256): a strip of 50,000 x 10 would otherwise become gigantic.
MAX_ASPECT = 8
# Pillow first averages whole blocks down to this many times the wanted size, then filters: as good, much faster.
REDUCING_GAP = 3.0

_PLUGINS = {
    "jpeg": ("JPEG", "PIL.JpegImagePlugin"),
    "png": ("PNG", "PIL.PngImagePlugin"),
    "webp": ("WEBP", "PIL.WebPImagePlugin"),
    "gif": ("GIF", "PIL.GifImagePlugin"),
    "tiff": ("TIFF", "PIL.TiffImagePlugin"),
    "bmp": ("BMP", "PIL.BmpImagePlugin"),
    "heic": ("HEIF", "pillow_heif"),
    "avif": ("AVIF", "PIL.AvifImagePlugin"),
}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# libjpeg goes on after these and fills the rest with grey; any other complaint (stray bytes between markers, which
# many cameras write) leaves the pixels whole, and Pillow then decides.
_JPEG_DAMAGE = ("premature end", "bad huffman")


@dataclass(frozen=True, slots=True)
class Decoded:
    """image: RGB, small and upright. width, height: pixels of the whole picture, upright."""

    image: Image.Image
    width: int
    height: int
    capture: Capture


def decode(data: bytes, format: str, size: int, part: Part | None = None) -> Decoded:
    """Decode every pixel, then shrink the picture, or the square around a part of it, to a short side of `size`.

    A smaller picture is enlarged to WORKING_SIZE at most, so that an encoder can crop from it. The middle of a picture
    longer than MAX_ASPECT short sides is kept. Raises ImageRejected image_too_large, and whatever a decoder raises.
    """
    picture = open_picture(data, format)
    check_pixels(*picture.size)
    fast = part is None and format == "jpeg" and picture.mode in ("L", "RGB")
    shrunk = _shrink_jpeg(data, picture, size) if fast else None
    if shrunk is None:
        shrunk = _shrink(picture, size, part)
    capture = read_capture(picture)
    width, height = picture.size
    if capture.orientation in _TURNS:
        shrunk = shrunk.transpose(_TURNS[capture.orientation])
    if capture.orientation >= 5:
        width, height = height, width
    return Decoded(shrunk, width, height, capture)


def open_picture(data: bytes, format: str) -> Image.Image:
    """Read the header with the one decoder of that format; no other decoder is even imported."""
    name, module = _PLUGINS[format]
    plugin = import_module(module)
    # Pictures are decoded side by side in processes of their own; threads inside one would only fight for the cores.
    if format == "heic" and name not in Image.OPEN:
        plugin.register_heif_opener(decode_threads=1, thumbnails=False, depth_images=False)
    if format == "avif":
        vars(plugin)["DEFAULT_MAX_THREADS"] = 1
    return Image.open(BytesIO(data), formats=[name])


def crop_box(width: int, height: int) -> Box:
    """The middle of the picture, at most MAX_ASPECT times as long as it is short."""
    longest = MAX_ASPECT * min(width, height)
    across, down = min(width, longest), min(height, longest)
    left, top = (width - across) / 2, (height - down) / 2
    return left, top, left + across, top + down


def target_size(box: Box, size: int) -> tuple[int, int]:
    """(width, height) in pixels with the box's aspect and a short side of `size`, enlarging to WORKING_SIZE at most."""
    width, height = box[2] - box[0], box[3] - box[1]
    short = min(width, height)
    scale = min(size, max(short, WORKING_SIZE)) / short
    return max(1, round(width * scale)), max(1, round(height * scale))


def _shrink_jpeg(data: bytes, picture: Image.Image, size: int) -> Image.Image | None:
    """The fast path: libjpeg-turbo leaves out high frequencies while it reads every bit of the file. None when Pillow
    has to judge.

    Only by 2, 4 or 8: the factors between have no SIMD code, so that decoding by 6/8 costs more than whole, and the
    result is 5 to 10 dB further from a Lanczos reduction of the whole picture (with these it is 42 dB, on 26 photos).
    """
    width, height = picture.size
    factor = next(factor for factor in (8, 4, 2, 1) if factor == 1 or min(width, height) >= size * factor)
    colours = "GRAY" if picture.mode == "L" else "RGB"
    try:
        pixels = simplejpeg.decode_jpeg(
            data, colours, min_height=-(-height // factor), min_width=-(-width // factor), strict=True
        )
    except ValueError as error:
        if any(damage in str(error).lower() for damage in _JPEG_DAMAGE):
            raise ImageRejected("image_corrupt", f"The JPEG is damaged ({error}). Send it again.") from error
        return None
    if pixels.shape[:2] != (-(-height // factor), -(-width // factor)):
        return None  # the two libraries read different sizes from one header
    reduced = Image.fromarray(pixels[:, :, 0] if colours == "GRAY" else pixels)
    box = crop_box(width, height)
    left, top, right, bottom = (edge / factor for edge in box)
    small = reduced.resize(target_size(box, size), Image.Resampling.BICUBIC, (left, top, right, bottom))
    return to_srgb(small, None, picture.info.get("icc_profile"))


def _shrink(picture: Image.Image, size: int, part: Part | None) -> Image.Image:
    picture.load()
    box = crop_box(*picture.size)
    if part is not None:
        box = framed(part, box, read_capture(picture).orientation)
    whole = resizable(picture)
    extrema = whole.getextrema() if whole.mode in ("I", "F") else None
    small = whole.resize(target_size(box, size), Image.Resampling.BICUBIC, box, REDUCING_GAP)
    return to_srgb(small, extrema, picture.info.get("icc_profile"))  # type: ignore[arg-type]
