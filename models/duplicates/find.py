"""Near-duplicates of a whole gallery: exact, then by perceptual hash, then by embedding.

One number says how alike two pictures are: the share of the picture that is the same when one lies over the other. 1 is
kept for equal pixels. Hash and embedding only say which pairs to lay over each other, because on their own neither
tells copies from likeness: among 718 photographs of 13 bird species the hashes of 124 pairs lie within 11 bits, of
which 3 show one scene; two different aerial pictures reach a cosine of .9, and copies in grey or cropped to 60% have .5
to .8. Laid over each other, pairs of different scenes shared .36 at most in three galleries, and copies nearly always
.6 to 1. See benchmarks/duplicates.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from models.duplicates import overlay
from models.duplicates.candidates import Candidates, by_embedding, by_hash
from models.duplicates.hashes import turned
from models.embedding import WorkingCopyUnreadable

KINDS = ("exact", "hash", "embedding")
LOWEST = 0.3  # similarity that is kept: below it nearly all pairs are of different scenes
DEFAULT = 0.5
CLOSE = 0.95  # pictures connected by pairs as close as this are not compared further
NEARLY = 0.99  # the most that pictures with different pixels are
HASH_RADIUS = 11
LOWEST_COSINE = 0.75
CACHED = 256  # pictures that are ready to be laid over others; 0.2 MB each

Progress = Callable[[str, int, int], None]


class Pairs(NamedTuple):
    """(P,) row numbers, first < second, each pair once; its similarity, LOWEST to 1; and the number of its kind."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    similarity: NDArray[np.float32]
    kind: NDArray[np.int8]

    def part(self, start: int, end: int) -> Pairs:
        """Those from `start` to before `end`."""
        return Pairs(*(column[start:end] for column in self))


def find(
    copy: Callable[[int], Path],
    digests: Sequence[str],
    hashes: NDArray[np.int64],
    vectors: NDArray[np.float32],
    progress: Progress = lambda stage, done, total: None,
) -> Pairs:
    """N pictures -> the pairs that share at least LOWEST of what they show.

    `copy(row)` is the path of a working copy; `digests` and `hashes` (N,) are `hashes.of_copy` of them; `vectors`
    (N, D) are unit rows, which may lie on disk. Of equal pictures only the first is compared with others. Memory holds
    N hashes and 128 numbers a picture. Raises WorkingCopyUnreadable, and what `progress(stage, done, total)` raises.
    """
    firsts, exact = equal(digests)
    distinct = _Rows(vectors, firsts) if len(exact.first) else vectors
    near_hash = by_hash(hashes[firsts], HASH_RADIUS, lambda done, total: progress("match", done, total))
    near_vector = by_embedding(distinct, LOWEST_COSINE, lambda done, total: progress("neighbours", done, total))
    candidates = _joined(near_hash, near_vector)
    candidates = Candidates(firsts[candidates.first], firsts[candidates.second], candidates.how)
    return _merged(exact, judged(copy, candidates, lambda done, total: progress("compare", done, total)))


def equal(digests: Sequence[str]) -> tuple[NDArray[np.int64], Pairs]:
    """(N,) digests -> the first row of each, ascending, and the pairs of every other row with its first."""
    first_of: dict[str, int] = {}
    mine = np.fromiter((first_of.setdefault(digest, row) for row, digest in enumerate(digests)), np.int64)
    others = np.flatnonzero(mine != np.arange(len(mine)))
    ones = np.ones(len(others), np.float32)
    return np.fromiter(first_of.values(), np.int64), Pairs(mine[others], others, ones, np.zeros(len(others), np.int8))


def judged(copy: Callable[[int], Path], candidates: Candidates, progress: Callable[[int, int], None]) -> Pairs:
    """Lay the pictures of candidate pairs over each other; those that share less than LOWEST are left out.

    A pair that closer ones already connect is not looked at: of a fixed camera's pictures any two are alike.
    """
    look, bonds = _Comparison(copy), _Bonds()
    total = len(candidates.first)
    kept: list[tuple[int, int, float, int]] = []
    for done, (first, second, how) in enumerate(zip(*(column.tolist() for column in candidates), strict=True)):
        progress(done, total)
        if bonds.end(first) == bonds.end(second):
            continue
        if (similarity := look.similarity(first, second, how)) >= LOWEST:
            kept.append((first, second, similarity, 1 if how >= 0 else 2))
        if similarity >= CLOSE:
            bonds.join(first, second)
    columns = np.array(kept, np.float64).reshape(-1, 4).T
    return Pairs(
        columns[0].astype(np.int64),
        columns[1].astype(np.int64),
        columns[2].astype(np.float32),
        columns[3].astype(np.int8),
    )


class _Comparison:
    """Pictures laid over each other, the last ones kept ready."""

    def __init__(self, copy: Callable[[int], Path]) -> None:
        self._grey = lru_cache(CACHED)(lambda row: _grey(copy(row)))
        self._sheet = lru_cache(CACHED)(lambda row, form: overlay.Sheet(turned(self._grey(row), form)))
        self._square = lru_cache(CACHED)(lambda row, form: overlay.Sheet(turned(self._grey(row), form), stretched=True))

    def similarity(self, first: int, second: int, how: int) -> float:
        """Where hashes are alike the pictures lie as they are, but for the turn, often; else they may lie anyhow."""
        share = overlay.share_in_place(self._square(first, how), self._square(second, 0)) if how >= 0 else 0.0
        if share < DEFAULT:
            share = max(share, overlay.share_at_best(self._sheet(first, max(how, 0)), self._sheet(second, 0)))
        return min(NEARLY, share)


class _Bonds:
    """Which rows are connected (Galler and Fischer 1964)."""

    def __init__(self) -> None:
        self._next: dict[int, int] = {}

    def end(self, row: int) -> int:
        """The row that stands for all that are connected with this one."""
        while (after := self._next.get(row, row)) != row:
            self._next[row] = row = self._next.get(after, after)
        return row

    def join(self, first: int, second: int) -> None:
        self._next[self.end(first)] = self.end(second)


class _Rows:
    """Some rows of an array on disk, without a copy of them all."""

    def __init__(self, vectors: NDArray[np.float32], rows: NDArray[np.int64]) -> None:
        self._vectors, self._rows = vectors, rows
        self.shape = (len(rows), *vectors.shape[1:])

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, rows: object) -> NDArray[np.float32]:
        return np.asarray(self._vectors[self._rows[rows]])


def _joined(by_hash: Candidates, by_vector: Candidates) -> Candidates:
    """Those by hash, then those by vector, by ascending rows each; a pair that both name once, by its hash."""
    first, second, how = (np.concatenate(columns) for columns in zip(by_hash, by_vector, strict=True))
    order = np.lexsort((-how, second, first))  # a hash's number is above that of an embedding
    first, second, how = first[order], second[order], how[order]
    new = np.ones(len(first), bool)
    new[1:] = (np.diff(first) != 0) | (np.diff(second) != 0)
    first, second, how = first[new], second[new], how[new]
    order = np.argsort(how < 0, kind="stable")
    return Candidates(first[order], second[order], how[order])


def _merged(one: Pairs, other: Pairs) -> Pairs:
    return Pairs(*(np.concatenate(columns) for columns in zip(one, other, strict=True)))


def _grey(path: Path) -> NDArray[np.uint8]:
    """A working copy's brightness, in the least size that is enough. Raises WorkingCopyUnreadable."""
    side = overlay.LONG_SIDE
    try:
        grey: NDArray[np.uint8] = simplejpeg.decode_jpeg(path.read_bytes(), "GRAY", min_height=side, min_width=side)
    except (OSError, ValueError) as error:
        raise WorkingCopyUnreadable(path, str(error)) from error
    return grey[..., 0]


__all__ = ["DEFAULT", "KINDS", "LOWEST", "Pairs", "equal", "find", "judged"]
