"""The one normaliser: whatever a camera or a program wrote becomes the same plain kind of JPEG."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from models.images.declared import declared_size
from models.images.decode import WORKING_SIZE, Decoded, decode
from models.images.exif import Shot
from models.images.header import check_frames, check_pixels, recognise
from models.images.part import Part
from models.images.rejection import ImageRejected

JPEG_QUALITY = 95
SMALL_QUALITY = 70  # of a copy that is only looked at, by the hundred: a third of the bytes
# Most originals carry halved colour already; at 341 x 256 pixels 4:4:4 would cost a fifth more bytes, and more time at
# each of the many reads in training, for 1.4 dB.
JPEG_SUBSAMPLING = "420"


@dataclass(frozen=True, slots=True)
class WorkingCopy:
    """jpeg: upright, sRGB, 8 bit, alpha on white, 256 px short side, no metadata.

    width, height: pixels of the original, upright. taken_at: UTC; without an offset in the EXIF its time counts as UTC.
    shot: camera and settings, as far as the EXIF has them.
    """

    jpeg: bytes
    format: str
    width: int
    height: int
    taken_at: datetime | None
    camera: str | None
    shot: Shot | None = None


def normalise(data: bytes, name: str, size: int = WORKING_SIZE, part: Part | None = None) -> WorkingCopy:
    """Decode every byte of a picture and make its working copy, with a short side of `size` pixels.

    name is what its owner calls it. part: only what an encoder shall see of the picture for this box. Call this in a
    guarded process (models.guard) on bytes from outside. Raises ImageRejected and nothing else.
    """
    format, decoded = _decode(data, name, size, part)
    capture, jpeg = decoded.capture, _encode(decoded.image)
    return WorkingCopy(jpeg, format, decoded.width, decoded.height, capture.taken_at, capture.camera, capture.shot)


def render(data: bytes, size: int) -> bytes:
    """A JPEG of the same kind with a short side of `size` pixels, or the picture's own if that is smaller.

    Raises ImageRejected and nothing else.
    """
    return _encode(_decode(data, "", size)[1].image)


def halved(working_copy: bytes) -> bytes:
    """A JPEG of half a working copy's width and height, in half a millisecond; for pages with hundreds.

    It decodes where it is called: give it nothing but what `normalise` wrote. Raises ValueError for what is no JPEG.
    """
    height, width, _, _ = simplejpeg.decode_jpeg_header(working_copy)
    pixels = simplejpeg.decode_jpeg(working_copy, "RGB", min_height=-(-height // 2), min_width=-(-width // 2))
    return _encode(pixels, SMALL_QUALITY)


def _decode(data: bytes, name: str, size: int, part: Part | None = None) -> tuple[str, Decoded]:
    with _damage_rejected():
        file = BytesIO(data)
        format = recognise(file, name)
        if format == "gif":
            check_pixels(*(declared_size(file, format) or (0, 0)), frames=check_frames(file))
        return format, decode(data, format, size, part)


def _encode(image: Image.Image | NDArray[np.uint8], quality: int = JPEG_QUALITY) -> bytes:
    jpeg: bytes = simplejpeg.encode_jpeg(np.asarray(image), quality, "RGB", JPEG_SUBSAMPLING)
    return jpeg


@contextmanager
def _damage_rejected() -> Iterator[None]:
    """Decoders raise what they like on hostile bytes (OSError, SyntaxError, KeyError, struct.error, zlib.error, ...):
    at this one place all of it means that the picture cannot be read."""
    try:
        yield
    except ImageRejected:
        raise
    except (MemoryError, Image.DecompressionBombError) as error:
        raise ImageRejected("image_too_large", "The picture needs too much memory. Send a smaller version.") from error
    except UnidentifiedImageError as error:
        raise ImageRejected("image_corrupt", "The picture's header is damaged. Send it again.") from error
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ImageRejected("image_corrupt", f"The picture cannot be decoded ({reason}). Send it again.") from error
