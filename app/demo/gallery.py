"""The sample gallery: drawn birds in a folder a kind, and beside them what real collections hold as well.

Near-duplicates, an exact duplicate, pictures without a bird and a broken file; `GalleryTruth` says which is which.
Every picture is drawn from its own random stream, so the bytes depend on the seed and not on how many processes draw.
"""

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from os import cpu_count
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import ExifTags, Image, ImageEnhance

from app.demo import oddities
from app.demo.birds import KINDS
from app.demo.scenes import scene

_CAMERAS = (("Meadowlark", "Field 35"), ("Meadowlark", "Trail Eye"), ("Kestrel", "K-7 Tele"))
_ODD = len(KINDS)  # the "kind" number of pictures without a bird, for their random streams
_ALONE = 40  # fewer pictures than this are drawn sooner than a second process has started


@dataclass(frozen=True)
class GalleryTruth:
    """What was written, by name relative to the folder (`robin/0007.jpg`)."""

    files: tuple[str, ...]
    """every file, the broken one included, sorted"""
    kinds: dict[str, str]
    """readable picture of a bird -> its kind; near and exact duplicates included"""
    near_duplicates: dict[str, str]
    """name -> the picture it is an edited copy of"""
    outliers: tuple[str, ...]
    corrupt: str
    duplicates: dict[str, str]
    """name -> the picture it has the same bytes as"""


def make_gallery(
    folder: Path,
    *,
    seed: int = 0,
    per_kind: int = 30,
    progress: Callable[[int, int], None] | None = None,
    processes: int | None = None,
) -> GalleryTruth:
    """Draw the gallery into `folder`; the same seed and `per_kind` give the same bytes.

    `per_kind` >= 1 counts each kind's own pictures, without the copies; `progress(done, total)` is called after each
    drawn picture. `processes` defaults to the machine's cores, at most 4.
    Raises ValueError for per_kind < 1, OSError as the file system does.
    """
    if per_kind < 1:
        raise ValueError(f"per_kind must be at least 1, not {per_kind}")
    tasks = [(seed, kind, number) for kind in range(len(KINDS)) for number in range(per_kind)]
    tasks += [(seed, _ODD, number) for number in range(oddities.COUNT)]
    pictures: dict[str, bytes] = {}
    for done, (task, data) in enumerate(zip(tasks, _drawn(tasks, processes), strict=True), 1):
        pictures[_name(task[1], task[2])] = data
        if progress:
            progress(done, len(tasks))
    originals = tuple(pictures)
    truth = _blemishes(pictures, per_kind, np.random.default_rng([seed, _ODD + 1]), originals)
    for name, data in pictures.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return truth


def _name(kind: int, number: int) -> str:
    return f"{KINDS[kind].name if kind < _ODD else 'odd'}/{number + 1:04d}.jpg"


def _drawn(tasks: list[tuple[int, int, int]], processes: int | None) -> Iterator[bytes]:
    workers = processes or min(4, cpu_count() or 1)
    if workers == 1 or len(tasks) < _ALONE:
        yield from map(_draw, tasks)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_draw, tasks, chunksize=4)


def _draw(task: tuple[int, int, int]) -> bytes:
    """One picture as JPEG bytes; the task (seed, kind, number) is its random stream."""
    rng = np.random.default_rng(list(task))
    kind, number = task[1:]
    picture = scene(KINDS[kind], rng) if kind < _ODD else oddities.oddity(number, rng)
    exif = _exif(rng) if rng.random() < 0.2 else None
    return _jpeg(picture, int(rng.integers(82, 94)), exif)


def _jpeg(picture: Image.Image, quality: int, exif: Image.Exif | None = None) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, exif=exif or Image.Exif())
    return out.getvalue()


def _exif(rng: Generator) -> Image.Exif:
    """A date of one spring and an invented camera."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = _CAMERAS[int(rng.integers(len(_CAMERAS)))]
    day, hour, minute = rng.integers(1, 29), rng.integers(5, 21), rng.integers(0, 60)
    taken = f"2026:{rng.integers(3, 7):02d}:{day:02d} {hour:02d}:{minute:02d}:00"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken
    return exif


def _blemishes(pictures: dict[str, bytes], per_kind: int, rng: Generator, originals: tuple[str, ...]) -> GalleryTruth:
    """Add the copies and the broken file to `pictures`, numbered on in their folders, and say what is what."""
    near: dict[str, str] = {}
    for kind, edit in enumerate((_resaved, _cropped, _brightened, _cropped, _resaved, _brightened)):
        original = _name(kind, int(rng.integers(per_kind)))
        near[_name(kind, per_kind)] = original
        pictures[_name(kind, per_kind)] = edit(pictures[original], rng)
    same, same_as = _name(6, per_kind), _name(6, int(rng.integers(per_kind)))
    pictures[same] = pictures[same_as]
    corrupt = _name(7, per_kind)
    whole = pictures[_name(7, int(rng.integers(per_kind)))]
    pictures[corrupt] = whole[: int(len(whole) * 0.4)]
    outliers = tuple(name for name in originals if name.startswith("odd/"))
    birds = {name: name.split("/")[0] for name in pictures if name not in outliers and name != corrupt}
    return GalleryTruth(tuple(sorted(pictures)), birds, near, outliers, corrupt, {same: same_as})


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def _resaved(data: bytes, rng: Generator) -> bytes:
    return _jpeg(_opened(data), int(rng.integers(55, 70)))


def _cropped(data: bytes, rng: Generator) -> bytes:
    picture = _opened(data)
    left, top, right, bottom = rng.uniform(0.01, 0.04, 4) * (picture.size * 2)
    kept = picture.crop((round(left), round(top), picture.width - round(right), picture.height - round(bottom)))
    return _jpeg(kept, 90)


def _brightened(data: bytes, rng: Generator) -> bytes:
    return _jpeg(ImageEnhance.Brightness(_opened(data)).enhance(rng.uniform(1.12, 1.22)), 90)
