"""What a file is and how large it says it is, without decoding it.

Runs in the serving process on hostile bytes: it reads fixed places and walks marker chains with a budget, and calls no
decoder. What it cannot tell is left to the full decode in a guarded process.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from models.images.archive import ends_as_zip
from models.images.declared import declared_size
from models.images.gif import count_frames
from models.images.rejection import ImageRejected

FORMATS = ("jpeg", "png", "webp", "gif", "tiff", "bmp", "heic", "avif")

# A 50-megapixel RGBA picture takes 200 MB decoded and twice that while it is resized: it fits a child of 1 GB. WebP's
# decoder alone takes three times that, so the largest lossless ones with alpha do not fit.
MAX_PIXELS = 50_000_000
# Pixels x frames alone would let ten thousand tiny frames through.
MAX_FRAMES = 5_000

HEAD_BYTES = 512

_MAGIC = {
    b"\xff\xd8\xff": "jpeg",
    b"\x89PNG\r\n\x1a\n": "png",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
    b"II*\x00": "tiff",
    b"MM\x00*": "tiff",
    b"II+\x00": "tiff",  # BigTIFF
    b"MM\x00+": "tiff",
}
# ISO/IEC 23008-12, annex B, and the AVIF specification, section 6.
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}
# "BM" alone begins many a text; the size of the second header narrows it to the BMP versions there are.
_BMP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}

_CLAIMS = {
    "jpg": "jpeg", "jpeg": "jpeg", "jpe": "jpeg", "jfif": "jpeg", "png": "png", "apng": "png", "webp": "webp",
    "gif": "gif", "tif": "tiff", "tiff": "tiff", "bmp": "bmp", "dib": "bmp", "heic": "heic", "heif": "heic",
    "hif": "heic", "avif": "avif",
}  # fmt: skip
_LONGEST_MAGIC = 12


@dataclass(frozen=True, slots=True)
class Header:
    """format: one of FORMATS. width, height: pixels as stored, before any EXIF turn; None if the header hides them."""

    format: str
    width: int | None
    height: int | None


def claimed_format(name: str) -> str | None:
    """The format that a file's extension claims; None for no extension and for those of other kinds of file."""
    return _CLAIMS.get(PurePosixPath(name).suffix[1:].lower())


def sniff(head: bytes) -> str:
    """The format by the first bytes (some 64 are plenty).

    Raises ImageRejected: image_type_unsupported for anything not in FORMATS, image_corrupt when there is nothing or
    the file ends inside the signature of a readable format.
    """
    if not head:
        raise ImageRejected("image_corrupt", "The file is empty. Send it again.")
    for magic, format in _MAGIC.items():
        if head.startswith(magic):
            return format
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return "bmp"
    if head[4:8] == b"ftyp" and (brand := _iso_format(head)):
        return brand
    if len(head) < _LONGEST_MAGIC and _begins_like_a_picture(head):
        raise ImageRejected("image_corrupt", f"The file ends after {len(head)} bytes. Send it again.")
    raise ImageRejected("image_type_unsupported", f"This is not a picture Roost reads; it reads {', '.join(FORMATS)}.")


def check_header(path: Path, name: str) -> Header:
    """Accept or refuse a file by its header; name is what its owner calls it.

    Raises ImageRejected: image_corrupt, image_type_unsupported, image_type_mismatch (the extension claims another
    format, or the file is a ZIP archive as well), image_too_large. Raises OSError when the file cannot be read.
    """
    with path.open("rb") as file:
        format = recognise(file, name)
        size = declared_size(file, format)
        if size is None:
            return Header(format, None, None)
        check_pixels(*size, frames=check_frames(file) if format == "gif" else 1)
    return Header(format, *size)


def recognise(file: BinaryIO, name: str) -> str:
    """The format by magic, having compared it with the claim of the name and looked for an archive at the end.

    Raises ImageRejected: image_corrupt, image_type_unsupported, image_type_mismatch.
    """
    file.seek(0)
    format = sniff(file.read(HEAD_BYTES))
    claimed = claimed_format(name)
    if claimed not in (None, format):
        detail = f"The name says {claimed}, the content is {format}. Rename the file so that it ends in .{format}."
        raise ImageRejected("image_type_mismatch", detail)
    if ends_as_zip(file):
        detail = f"The file is {format} and a ZIP archive at once. Save the picture again from an image program."
        raise ImageRejected("image_type_mismatch", detail)
    return format


def check_frames(file: BinaryIO) -> int:
    """Frames of a GIF. Raises ImageRejected: image_too_large above MAX_FRAMES, image_corrupt when it is cut short."""
    frames = count_frames(file, MAX_FRAMES + 1)
    if frames > MAX_FRAMES:
        raise ImageRejected("image_too_large", f"An animation may have at most {MAX_FRAMES:,} frames.")
    return frames


def check_pixels(width: int, height: int, frames: int = 1) -> None:
    """Raises ImageRejected: image_too_large above MAX_PIXELS x frames; without a frame there is still the screen."""
    if width * height * max(frames, 1) > MAX_PIXELS:
        animation = f" x {frames} frames" if frames > 1 else ""
        limit = f"the limit is {MAX_PIXELS // 1_000_000} megapixels"
        raise ImageRejected(
            "image_too_large", f"{width} x {height} pixels{animation} is too much; {limit}. Send a smaller version."
        )


def _begins_like_a_picture(head: bytes) -> bool:
    return any(head[: len(magic)] == magic[: len(head)] for magic in (*_MAGIC, b"RIFF", b"BM"))


def _iso_format(head: bytes) -> str | None:
    """HEIC or AVIF by the brands of the ftyp box: the major brand, then the compatible ones."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))}
    if brands & _AVIF_BRANDS and head[8:12] not in _HEIC_BRANDS - {b"mif1", b"msf1"}:
        return "avif"
    return "heic" if brands & _HEIC_BRANDS else None
