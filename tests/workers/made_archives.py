"""Archives made by hand for tests, and what comes out of them."""

import io
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import Settings
from workers.archives import ArchiveError, MemberCorrupt, members

MB = 2**20


def entries(data: bytes, kind: str, folder: Path, **limits: int) -> list[tuple[str, bytes | str]]:
    """(name, bytes) of each member, or (name, code) of a refused one. Raises ArchiveError at the end, if it must."""
    found: list[tuple[str, bytes | str]] = []
    for item in walk(data, kind, folder, **limits):
        found.append(item)
    return found


def walk(data: bytes, kind: str, folder: Path, **limits: int) -> Iterator[tuple[str, bytes | str]]:
    path = folder / "archive"
    path.write_bytes(data)
    for member in members(path, kind, Settings(data=folder, **limits)):
        if member.refused:
            yield member.name, member.refused[0]
            continue
        try:
            yield member.name, b"".join(member.pieces)
        except MemberCorrupt:
            yield member.name, "corrupt"


def until_error(data: bytes, kind: str, folder: Path, **limits: int) -> tuple[list[tuple[str, bytes | str]], str]:
    """What came before the error, and its code."""
    found: list[tuple[str, bytes | str]] = []
    with pytest.raises(ArchiveError) as error:
        for item in walk(data, kind, folder, **limits):
            found.append(item)
    assert error.value.detail
    return found, error.value.code


def zipped(*files: tuple[str | zipfile.ZipInfo, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(*files: tuple[str | tarfile.TarInfo, bytes], mode: str = "w", **options: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, **options) as archive:  # type: ignore[call-overload]
        for name, data in files:
            info = tarfile.TarInfo(name) if isinstance(name, str) else name
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def link(kind: bytes, name: str = "link.jpg", target: str = "/etc/passwd") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info
