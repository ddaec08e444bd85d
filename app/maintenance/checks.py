"""Is a blob what its row says? Each check gives a sentence on what is wrong, or None."""

from collections.abc import Callable
from functools import partial
from hashlib import file_digest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.db.tables import EmbeddingShard, Encoder, SearchIndex
from models.encoders.base import EncoderError
from models.encoders.finetuned import REPORT, FinetunedEncoder
from models.index import IndexDamaged, open_index
from models.index.rows import IDS


def file(sha256: str, size: int | None, path: Path) -> str | None:
    """The SHA-256 and, where the row knows it, the size in bytes."""
    if size is not None and (found := path.stat().st_size) != size:
        return f"it has {found} bytes, and its row says {size}"
    if (digest := digest_of(path)) != sha256:
        return f"its SHA-256 is {digest}, and its row says {sha256}"
    return None


def digest_of(path: Path) -> str:
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def picture(path: Path) -> str | None:
    """A JPEG of our own that decodes without a warning: all that can be said of a copy without a hash."""
    import simplejpeg

    try:
        simplejpeg.decode_jpeg(path.read_bytes())
    except ValueError as error:
        return f"it does not decode: {error}"
    return None


def shard(row: EmbeddingShard, dim: int, highest: int | None, path: Path) -> str | None:
    """Its hash, its shape, and that every embedding's row is in it; `highest`: the largest row that one names."""
    if found := file(row.sha256, None, path):
        return found
    shape = np.load(path, mmap_mode="r", allow_pickle=False).shape
    if shape != (row.rows, dim):
        return f"it holds {shape} numbers, and its row says {(row.rows, dim)}"
    if highest is not None and highest >= row.rows:
        return f"an embedding is said to be in row {highest}, and it has {row.rows}"
    return None


def index(row: SearchIndex, ids: NDArray[np.uint8], path: Path) -> str | None:
    """Its manifest, the hash of each of its files, its kind and count, and that it has the embeddings `ids` (N, 16).

    It may have more: of images that were deleted since.
    """
    try:
        opened = open_index(path, verify=True)
    except IndexDamaged as error:
        return str(error)
    said, wanted = (opened.manifest.kind, opened.manifest.count), (row.kind, row.count)
    if said != wanted:
        return f"it is {said[0]} of {said[1]} vectors, and its row says {wanted[0]} of {wanted[1]}"
    held = np.fromfile(path / IDS, np.uint8).reshape(-1, 16)
    if lacking := int(np.count_nonzero(~np.isin(_keys(ids), _keys(held)))):
        return f"it lacks {lacking} of the {len(ids)} embeddings of its generation"
    return None


def encoder(row: Encoder, path: Path) -> str | None:
    """Weights and OpenVINO model under the row's hashes, the description, and the report that people read."""
    try:
        opened = FinetunedEncoder.open(path)
        found = opened.sha256(), opened.description.ir_sha256
        opened.ir()
    except EncoderError as error:
        return str(error)
    if found != (row.sha256, row.ir_sha256):
        return f"its SHA-256 are {found}, and its row says {(row.sha256, row.ir_sha256)}"
    return None if (path / REPORT).is_file() else f"{REPORT} is missing"


def centres(path: Path) -> str | None:
    return _unreadable(partial(np.load, path, allow_pickle=False))


def tree(path: Path) -> str | None:
    from app.clusterings.cuts import LEAVES, TREE, StoredTree

    def read() -> None:
        StoredTree.model_validate_json((path / TREE).read_bytes())
        np.load(path / LEAVES, allow_pickle=False)

    return _unreadable(read)


def plane(path: Path) -> str | None:
    """A map: every block of the Arrow file can be read."""
    from app.maps.file import MapFile

    return _unreadable(lambda: sum(len(block.ids) for block in MapFile(path).blocks()))


def present(_: Path) -> str | None:
    """That it is there is all that can be asked."""
    return None


def _unreadable(read: Callable[[], object]) -> str | None:
    try:
        read()
    except (OSError, ValueError, EOFError) as error:  # also what Pydantic and Arrow raise
        return f"it can't be read: {error}"
    return None


def _keys(ids: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    """(N, 16) -> (N,)"""
    return np.ascontiguousarray(ids).view("S16").reshape(-1)
