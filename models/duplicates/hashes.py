"""A 64-bit perceptual hash whose turned and flipped forms follow from its bits.

As pHash (Zauner 2010; the `imagehash` library's `phash`) it looks at the 8 x 8 lowest frequencies of the discrete
cosine transform of the 32 x 32 grey picture. A bit says whether its frequency is positive, where pHash compares with
their median: the median is close to 0, and with 0 itself a flip turns exactly the bits of the odd frequencies over and
a transposed picture has the transposed bits. So the hashes of all eight turned and flipped pictures come from the one
that is stored, without looking at the picture again.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from models.embedding import WorkingCopyUnreadable

SIDE = 8  # frequencies each way
GREY = 32  # pixels each way
ENOUGH = 64  # pixels of the short side that are decoded; the JPEG's own scaling gives them in a fraction of the time
SYMMETRIES = 8
FLAT = 1e-4  # of the brightness: weaker frequencies are rounding, and their sign would be chance


def of_copy(path: Path) -> tuple[str, int]:
    """A working copy -> the SHA-256 of its file, and its hash as a signed number.

    Working copies hold pixels and nothing else, and equal pixels are written as equal bytes, so that equal files are
    equal pictures. Raises WorkingCopyUnreadable.
    """
    try:
        data = path.read_bytes()
        grey = simplejpeg.decode_jpeg(data, "GRAY", min_height=ENOUGH, min_width=ENOUGH)[..., 0]
    except (OSError, ValueError) as error:
        raise WorkingCopyUnreadable(path, str(error)) from error
    return hashlib.sha256(data).hexdigest(), perceptual(grey)


def perceptual(grey: NDArray[np.uint8]) -> int:
    """(H, W) brightness -> the hash, -2^63 to 2^63 - 1, as databases keep it."""
    from PIL import Image
    from scipy.fft import dctn

    small = np.asarray(Image.fromarray(grey).resize((GREY, GREY), Image.Resampling.LANCZOS), np.float64)
    frequencies = dctn(small, norm="ortho")[:SIDE, :SIDE]
    return int(np.packbits(frequencies > FLAT * frequencies[0, 0]).view(">i8")[0])


def symmetric(hashes: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N,) hashes -> (N, 8), of the picture as it is, flipped, turned and both; the first column is the input."""
    bits = unpacked(hashes)
    odd = np.arange(SIDE) % 2 == 1
    forms = [
        bits ^ up_down[:, None] ^ left_right for up_down in (odd & False, odd) for left_right in (odd & False, odd)
    ]
    forms += [form.transpose(0, 2, 1) for form in forms]
    return np.stack([packed(form) for form in forms], axis=1)


def unpacked(hashes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(N,) -> (N, 8, 8), the bit of each frequency, the lowest in the corner."""
    return np.unpackbits(hashes.astype(">i8").view(np.uint8).reshape(-1, SIDE), axis=1).reshape(-1, SIDE, SIDE) > 0


def packed(bits: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(N, 8, 8) -> (N,): the inverse of `unpacked`."""
    return np.packbits(bits.reshape(-1, SIDE * SIDE), axis=1).view(">i8")[:, 0].astype(np.int64)


def distance(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Broadcast hashes -> in how many bits they differ, 0 to 64."""
    return np.bitwise_count((first ^ second).view(np.uint64))


def turned(picture: NDArray[np.uint8], form: int) -> NDArray[np.uint8]:
    """(H, W) -> the picture whose hash is column `form` of `symmetric`."""
    if form & 2:
        picture = picture[::-1]
    if form & 1:
        picture = picture[:, ::-1]
    return np.ascontiguousarray(picture.T if form & 4 else picture)
