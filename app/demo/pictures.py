"""The pictures of a sample gallery one after the other, in constant memory.

First those that are drawn, kind by kind, then the copies and the broken file, for which a picture is drawn once more.
Each has a random stream of its own, so the bytes depend on the seed and the shares, not on how many processes draw.
"""

import io
import os
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from typing import Literal

import numpy as np
from numpy.random import Generator as Random
from PIL import ExifTags, Image, ImageEnhance

from app.demo import oddities
from app.demo.birds import KINDS
from app.demo.scenes import scene

Task = tuple[int, int, int]  # seed, kind, number: the random stream of a picture
COPIES = 8  # six near-duplicates, a duplicate and a broken file
LEAST = COPIES + len(KINDS)
_CAMERAS = (("Meadowlark", "Field 35"), ("Meadowlark", "Trail Eye"), ("Kestrel", "K-7 Tele"))
_ODD = len(KINDS)  # the "kind" number of pictures without a bird, for their random streams
_ALONE = 40  # fewer pictures than this are drawn sooner than a second process has started


@dataclass(frozen=True)
class Shares:
    """How many pictures of its own each kind has, and how many there are without a bird."""

    kinds: tuple[int, ...]
    odd: int = oddities.COUNT

    @property
    def drawn(self) -> int:
        return sum(self.kinds) + self.odd

    @property
    def total(self) -> int:
        return self.drawn + COPIES


@dataclass(frozen=True)
class Picture:
    """A file of the gallery: `name` as `robin/0007.jpg`, its bytes, what it is, and what it is a copy of."""

    name: str
    data: bytes
    role: Literal["bird", "odd", "near", "same", "corrupt"]
    original: str | None = None


def shares(images: int) -> Shares:
    """A gallery of so many files, the kinds as equal as can be. Raises ValueError below LEAST."""
    if images < LEAST:
        raise ValueError(f"a gallery has at least {LEAST} pictures, not {images}")
    odd = min(oddities.COUNT, images - LEAST)
    each, more = divmod(images - COPIES - odd, len(KINDS))
    return Shares(tuple(each + (kind < more) for kind in range(len(KINDS))), odd)


def pictures(seed: int, of: Shares, processes: int | None = None) -> Generator[Picture, None, None]:
    """Every file, `of.drawn` pictures and then the copies. `processes`: by default the machine's cores, at most 4."""
    tasks = [(seed, kind, number) for kind, count in enumerate((*of.kinds, of.odd)) for number in range(count)]
    for (_, kind, number), data in zip(tasks, _drawn(tasks, processes), strict=True):
        yield Picture(_name(kind, number), data, "odd" if kind == _ODD else "bird")
    yield from _copies(seed, of, np.random.default_rng([seed, _ODD + 1]))


def _name(kind: int, number: int) -> str:
    return f"{KINDS[kind].name if kind < _ODD else 'odd'}/{number + 1:04d}.jpg"


def _copies(seed: int, of: Shares, rng: Random) -> Iterator[Picture]:
    """Numbered on in their folders: edits of six kinds, an exact one of the seventh, a broken one of the last."""
    for kind, edit in enumerate(_EDITS):
        number = int(rng.integers(of.kinds[kind]))
        data = edit(_draw((seed, kind, number)), rng)
        yield Picture(_name(kind, of.kinds[kind]), data, "near", _name(kind, number))
    number = int(rng.integers(of.kinds[6]))
    yield Picture(_name(6, of.kinds[6]), _draw((seed, 6, number)), "same", _name(6, number))
    number = int(rng.integers(of.kinds[7]))
    whole = _draw((seed, 7, number))
    yield Picture(_name(7, of.kinds[7]), whole[: int(len(whole) * 0.4)], "corrupt", _name(7, number))


def _drawn(tasks: list[Task], processes: int | None) -> Iterator[bytes]:
    workers = processes or min(4, os.cpu_count() or 1)
    if workers == 1 or len(tasks) < _ALONE:
        yield from map(_draw, tasks)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_end_with_parent) as pool:
        yield from pool.map(_draw, tasks, chunksize=4)


def _end_with_parent() -> None:
    """A process of the pool whose parent was killed would wait for its next picture for ever."""

    def watch() -> None:
        if parent := parent_process():
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _draw(task: Task) -> bytes:
    """One picture as JPEG bytes."""
    rng = np.random.default_rng(list(task))
    kind, number = task[1:]
    picture = scene(KINDS[kind], rng) if kind < _ODD else oddities.oddity(number, rng)
    exif = _exif(rng) if rng.random() < 0.2 else None
    return _jpeg(picture, int(rng.integers(82, 94)), exif)


def _jpeg(picture: Image.Image, quality: int, exif: Image.Exif | None = None) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, exif=exif or Image.Exif())
    return out.getvalue()


def _exif(rng: Random) -> Image.Exif:
    """A date of one spring and an invented camera."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = _CAMERAS[int(rng.integers(len(_CAMERAS)))]
    day, hour, minute = rng.integers(1, 29), rng.integers(5, 21), rng.integers(0, 60)
    taken = f"2026:{rng.integers(3, 7):02d}:{day:02d} {hour:02d}:{minute:02d}:00"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken
    return exif


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def _resaved(data: bytes, rng: Random) -> bytes:
    return _jpeg(_opened(data), int(rng.integers(55, 70)))


def _cropped(data: bytes, rng: Random) -> bytes:
    picture = _opened(data)
    left, top, right, bottom = rng.uniform(0.01, 0.04, 4) * (picture.size * 2)
    kept = picture.crop((round(left), round(top), picture.width - round(right), picture.height - round(bottom)))
    return _jpeg(kept, 90)


def _brightened(data: bytes, rng: Random) -> bytes:
    return _jpeg(ImageEnhance.Brightness(_opened(data)).enhance(rng.uniform(1.12, 1.22)), 90)


_EDITS: tuple[Callable[[bytes, Random], bytes], ...] = (
    _resaved, _cropped, _brightened, _cropped, _resaved, _brightened,
)  # fmt: skip
