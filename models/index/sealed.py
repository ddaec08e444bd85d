"""A folder that is complete or absent: written beside its place, flushed, then renamed into it.

The manifest is written last and carries a digest of itself, so a changed byte in any file can be found.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import ValidationError

from models.disk import flush
from models.index.base import File, IndexDamaged, Manifest

MANIFEST = "manifest.json"


@contextmanager
def sealed(folder: Path) -> Iterator[Path]:
    """Give a new folder to write into; on leaving it takes the place of `folder`, or is removed after an exception.

    Raises FileExistsError when `folder` is there already: what was built is never changed.
    """
    if folder.exists():
        raise FileExistsError(f"{folder} exists already, and an index is never overwritten")
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.partial-{uuid4().hex}")
    partial.mkdir()
    try:
        yield partial
        for path in partial.iterdir():
            flush(path)
        flush(partial)
        partial.rename(folder)  # fails when another process was faster: a folder with files is not replaced
        flush(folder.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def describe(path: Path) -> File:
    """Size and SHA-256 of a file."""
    with path.open("rb") as stream:
        return File(bytes=path.stat().st_size, sha256=file_digest(stream, "sha256").hexdigest())


def write_manifest(folder: Path, kind: str, count: int, dim: int, extra: dict[str, Any] | None) -> Manifest:
    """Describe every file of the folder in its manifest."""
    files = {path.name: describe(path) for path in sorted(folder.iterdir())}
    manifest = Manifest(kind=kind, count=count, dim=dim, files=files, extra=extra or {})
    body = manifest.model_dump(mode="json")
    (folder / MANIFEST).write_text(json.dumps({"index": body, "sha256": _digest(body)}, indent=1), encoding="utf-8")
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """The folder's manifest, when it is whole and every file has its size. Raises IndexDamaged."""
    try:
        sealed_body = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        manifest = Manifest.model_validate(sealed_body["index"])
        if sealed_body["sha256"] != _digest(sealed_body["index"]):
            raise IndexDamaged(f"{folder}: the manifest does not match its own digest")
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise IndexDamaged(f"{folder}: the manifest cannot be read: {error}") from error
    for name, file in manifest.files.items():
        _check_size(folder / name, file)
    return manifest


def verify(folder: Path, manifest: Manifest) -> None:
    """Read every file and compare size and SHA-256 with the manifest. Raises IndexDamaged."""
    for name, expected in manifest.files.items():
        try:
            found = describe(folder / name)
        except OSError as error:
            raise IndexDamaged(f"{folder / name} cannot be read: {error}") from error
        if found != expected:
            raise IndexDamaged(f"{folder / name} is not the file that was built")


def _check_size(path: Path, file: File) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise IndexDamaged(f"{path} is missing: {error}") from error
    if size != file.bytes:
        raise IndexDamaged(f"{path} has {size} bytes instead of {file.bytes}")


def _digest(body: Any) -> str:
    return sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
