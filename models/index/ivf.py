"""Inverted lists with 8-bit codes: a query visits the lists nearest to it, and exact cosines rank what it found.

Codes and lists are FAISS' (Douze et al. 2024, https://arxiv.org/abs/2401.08281), memory-mapped like the exact vectors
beside them. How many lists a query visits is measured while building, on images of the set itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from models.disk import disk_full_named
from models.index.base import Block, Ids, IndexDamaged, Manifest, Progress
from models.index.ivf_recall import least_probes
from models.index.rows import VECTORS, Rows, write_rows
from models.index.scan import RowNumbers, nearest
from models.index.sealed import sealed, verify, write_manifest

LISTS = "lists.faiss"
RERANK = 100  # candidates by code whose exact cosines decide; for more than 50 neighbours twice as many as wanted
SUBSET = 20_000  # a subset up to this size is compared whole: as quick as visiting lists, and nothing is missed
TRAINED_ON = 64  # vectors a list, from which the lists' centres are learned
TRAINING_BYTES = 512 * 2**20
ADDED = 65_536  # vectors a step


class Params(BaseModel):
    """lists: None chooses by size. recall: of the ten nearest, what share to find at least."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lists: int | None = Field(None, ge=1)
    recall: float = Field(0.95, gt=0, le=1)
    seed: int = Field(0, ge=0)


class Ivf:
    """Looks only where neighbours are likely; the right choice from some 50,000 images to some millions."""

    name = "ivf"
    summary = (
        "Looks only into the nearest of many lists, then compares exactly: about 95 of 100 neighbours, far quicker."
    )
    Params = Params

    def build(
        self,
        blocks: Iterable[Block],
        folder: Path,
        params: Params | None = None,
        extra: dict[str, Any] | None = None,
        progress: Progress | None = None,
    ) -> Manifest:
        """Memory holds the codes (a byte a dimension), a sample to learn from, one block and all ids.

        The manifest's extra gains "ivf": lists, probes, and the recall_at_10 that was measured. See `Kind.build`.
        """
        import faiss

        params = params or Params()
        with sealed(folder) as partial:
            count, dim = write_rows(blocks, partial)
            vectors = np.memmap(partial / VECTORS, "<f4", "r", shape=(count, dim))
            lists = params.lists or lists_for(count)
            index = _trained(vectors, lists, params.seed)
            _add(index, vectors, progress or (lambda done, total: None))
            found = least_probes(_Probe(index, vectors), lists, params.recall, params.seed)
            index.nprobe = found.probes
            with disk_full_named("The disk has no room for the index; free some space or add some.", partial):
                faiss.write_index(index, str(partial / LISTS))
            about = {"lists": lists, "probes": found.probes, "recall_at_10": found.recall, "queries": found.queries}
            return write_manifest(partial, self.name, count, dim, {**(extra or {}), "ivf": about})

    def open(self, folder: Path, manifest: Manifest) -> IvfIndex:
        """Memory-map the folder. Raises IndexDamaged."""
        return IvfIndex(folder, manifest)


PLUGIN = Ivf()


def lists_for(count: int) -> int:
    """About 2 sqrt(N), a power of two; fewer where k-means would have too few vectors for each to learn from."""
    wanted: int = 2 ** round(float(np.log2(2 * np.sqrt(count))))
    return max(1, min(wanted, count // 39))


class IvfIndex:
    """An open IVF index; see `Index`. Scores are exact, and a subset is never short of what it has."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.manifest = manifest
        self._folder = folder
        self._rows = Rows(folder, manifest)
        self._index = _mapped(folder / LISTS, manifest)
        self._probe = _Probe(self._index, self._rows.vectors)

    def __len__(self) -> int:
        return self.manifest.count

    def search(
        self, queries: NDArray[np.float32], k: int, only: Ids | None = None
    ) -> tuple[NDArray[np.float32], list[list[UUID]]]:
        asked = self._rows.asked(queries, k)
        rows = None if only is None else self._rows.of(only)
        if rows is not None and len(rows) <= SUBSET:
            scores, found = nearest(self._rows.vectors, asked, k, rows)
        else:
            scores, found = self._probe.search(asked, k, self._index.nprobe, rows)
        return scores, self._rows.ids(found)

    def vector(self, identity: UUID) -> NDArray[np.float32] | None:
        return self._rows.vector(identity)

    def verify(self) -> None:
        verify(self._folder, self.manifest)


class _Probe:
    """Search in the lists, then among the candidates' exact vectors."""

    def __init__(self, index: Any, vectors: NDArray[np.float32]) -> None:
        self.index, self.vectors = index, vectors

    def search(
        self, queries: NDArray[np.float32], k: int, probes: int, only: RowNumbers | None = None
    ) -> tuple[NDArray[np.float32], RowNumbers]:
        """(Q, D) unit rows -> (Q, k') cosines and rows, k' = min(k, how many there are).

        One query at a time: FAISS spreads many over all cores, which other requests need.
        """
        selector = None if only is None else _selector(only, len(self.vectors))
        there = min(k, len(self.vectors) if only is None else len(only))
        found = [
            nearest(self.vectors, query, there, self._candidates(query, there, probes, selector))
            for query in (queries[row : row + 1] for row in range(len(queries)))
        ]
        return np.concatenate([scores for scores, _ in found]), np.concatenate([rows for _, rows in found])

    def _candidates(self, query: NDArray[np.float32], there: int, probes: int, selector: Any) -> RowNumbers:
        """At least `there` rows: when the lists visited hold fewer, all are visited."""
        import faiss

        wanted = min(max(RERANK, 2 * there), len(self.vectors))
        for lists in (probes, self.index.nlist):
            params = faiss.SearchParametersIVF(nprobe=lists, sel=selector)
            rows: RowNumbers = self.index.search(query, wanted, params=params)[1][0]
            rows = np.sort(rows[rows >= 0])
            if len(rows) >= there:
                break
        return rows


def _selector(rows: RowNumbers, count: int) -> Any:
    import faiss

    chosen = np.zeros(count, bool)
    chosen[rows] = True
    return faiss.IDSelectorBitmap(np.packbits(chosen, bitorder="little"))


def _trained(vectors: NDArray[np.float32], lists: int, seed: int) -> Any:
    """An empty index whose lists suit a sample of the vectors."""
    import faiss

    count, dim = vectors.shape
    index = faiss.index_factory(dim, f"IVF{lists},SQ8", faiss.METRIC_INNER_PRODUCT)
    size = min(count, max(lists * TRAINED_ON, 1000), max(lists, TRAINING_BYTES // (4 * dim)))
    rows = np.sort(np.random.default_rng(seed).choice(count, size, replace=False))
    index.cp.seed = seed
    index.cp.min_points_per_centroid = 1  # it would only print a warning
    index.train(np.ascontiguousarray(vectors[rows]))
    return index


def _add(index: Any, vectors: NDArray[np.float32], progress: Progress) -> None:
    progress(0, len(vectors))
    for part in _parts(len(vectors)):
        index.add(np.ascontiguousarray(vectors[part]))
        progress(part.stop, len(vectors))


def _parts(count: int) -> Iterator[slice]:
    return (slice(start, min(start + ADDED, count)) for start in range(0, count, ADDED))


def _mapped(path: Path, manifest: Manifest) -> Any:
    """The FAISS index with its lists left on the disk, where the page cache keeps what is used."""
    import faiss

    try:
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP)
    except RuntimeError as error:
        raise IndexDamaged(f"{path} cannot be opened: {error}") from error
    if (index.ntotal, index.d) != (manifest.count, manifest.dim):
        raise IndexDamaged(f"{path} does not hold {manifest.count} codes of width {manifest.dim}")
    # By default every search starts threads that read ahead: nine tenths of the time of a query on a cached file.
    faiss.downcast_InvertedLists(index.invlists).prefetch_nthread = 0
    return index
