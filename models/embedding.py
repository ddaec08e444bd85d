"""Working copies to embeddings: decoding on threads of its own, ahead of and alongside the network."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import simplejpeg

from models.engines.base import Engine, Pixels, Vectors

WORKING_SIDE = 256  # short side of a working copy, pixels
AHEAD = 4  # decoded batches that may wait for the engine


class WorkingCopyUnreadable(Exception):
    """A working copy is missing or no longer a JPEG; working copies are our own, so the file was damaged."""

    def __init__(self, path: Path | None, reason: str) -> None:
        super().__init__(f"{path or 'the working copy'} cannot be read: {reason}")
        self.path = path


def embed(paths: Iterable[Path], engine: Engine, *, decoders: int | None = None) -> Iterator[Vectors]:
    """Paths of working copies -> (b, D) float32 of length one, b <= engine.batch, in the order of the paths.

    Lazy: takes paths as it goes and holds a few batches at a time. Closing the iterator ends its threads.
    decoders: threads that decode; None: one for every two processors, the engine needs the rest.
    Raises WorkingCopyUnreadable when its turn comes, and what the engine raises.
    """
    pool = ThreadPoolExecutor(decoders or max(1, (os.cpu_count() or 1) // 2), thread_name_prefix="decode")
    batches = _decoded(paths, engine, pool)
    try:
        yield from engine.run(batches)
    finally:
        batches.close()
        pool.shutdown(wait=True, cancel_futures=True)


def load_pixels(source: Path | bytes, size: int) -> Pixels:
    """A working copy -> its centre, (size, size, 3) uint8 RGB.

    A short side other than 256 is resized to 256 first. Raises WorkingCopyUnreadable.
    """
    pixels = np.empty((size, size, 3), np.uint8)
    _decode_into(pixels, source)
    return pixels


def _decoded(paths: Iterable[Path], engine: Engine, pool: ThreadPoolExecutor) -> Generator[Pixels, None, None]:
    waiting: deque[Future[Pixels]] = deque()
    rest = iter(paths)
    while group := list(islice(rest, engine.batch)):
        waiting.append(pool.submit(_batch, group, engine.input_size))
        if len(waiting) > AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _batch(paths: list[Path], size: int) -> Pixels:
    pixels = np.empty((len(paths), size, size, 3), np.uint8)
    for row, path in zip(pixels, paths, strict=True):
        _decode_into(row, path)
    return pixels


def _decode_into(target: Pixels, source: Path | bytes) -> None:
    """Fills target (S, S, 3) with the centre of the picture.

    The accurate decoder, always: with simplejpeg's fastdct and fastupsample embeddings had a mean cosine of 0.993 to
    their exact ones, for a few percent of the decoding, which itself is a small part of the work.
    """
    path = source if isinstance(source, Path) else None
    try:
        data = source.read_bytes() if isinstance(source, Path) else source
        picture = _with_short_side(simplejpeg.decode_jpeg(data), max(WORKING_SIDE, len(target)))
    except (OSError, ValueError) as error:
        raise WorkingCopyUnreadable(path, str(error)) from error
    size = len(target)
    top, left = (picture.shape[0] - size) // 2, (picture.shape[1] - size) // 2
    target[...] = picture[top : top + size, left : left + size]


def _with_short_side(picture: Pixels, side: int) -> Pixels:
    height, width = picture.shape[:2]
    if min(height, width) == side:
        return picture
    from PIL import Image

    scale = side / min(height, width)
    new = (max(side, round(width * scale)), max(side, round(height * scale)))
    return np.asarray(Image.fromarray(picture).resize(new, Image.Resampling.BICUBIC))
