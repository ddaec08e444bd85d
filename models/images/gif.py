"""Frames of a GIF, counted along its block chain without decompressing anything (GIF89a specification, appendix A)."""

from __future__ import annotations

import os
from typing import BinaryIO

from models.images.rejection import ImageRejected

# One step reads a byte; 400,000 steps (0.2 s) reach through 100 MB of full blocks. A file that spends them on shorter
# blocks is counted as far as that: only its first frame is ever decoded, so nothing is lost by stopping.
MAX_STEPS = 400_000

_EXTENSION, _IMAGE = 0x21, 0x2C
_SCREEN_BYTES = 13
_DESCRIPTOR_BYTES = 9


def count_frames(file: BinaryIO, limit: int) -> int:
    """Image blocks, at most `limit`. A missing trailer is forgiven; ImageRejected image_corrupt if a block is cut."""
    file.seek(0)
    screen = _exactly(file, _SCREEN_BYTES)
    file.seek(_palette_bytes(screen[10]), os.SEEK_CUR)
    frames, steps = 0, 0
    while frames < limit and steps < MAX_STEPS:
        mark = file.read(1)
        if mark == bytes([_IMAGE]):
            frames += 1
            descriptor = _exactly(file, _DESCRIPTOR_BYTES)
            file.seek(_palette_bytes(descriptor[8]) + 1, os.SEEK_CUR)  # and the byte with the first code size
        elif mark == bytes([_EXTENSION]):
            _exactly(file, 1)
        else:  # the trailer, the end of the file, or bytes that belong to no block
            return frames
        steps += _skip_sub_blocks(file, MAX_STEPS - steps)
    return frames


def _skip_sub_blocks(file: BinaryIO, steps: int) -> int:
    for step in range(steps):
        size = _exactly(file, 1)[0]
        if size == 0:
            return step + 1
        file.seek(size, os.SEEK_CUR)
    return steps


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _exactly(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise ImageRejected("image_corrupt", "The GIF ends in the middle of a block. Send it again.")
    return data
