"""What benchmarks.soak.fuzz runs against: python -m benchmarks.soak.fuzz_targets TARGET [libFuzzer's options] CORPUS.

The modules under test are imported here, with atheris counting the edges that each input takes. Whatever a target
raises besides the exceptions it documents is a finding; so is an answer that breaks the promises asserted below.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import atheris

from app.text import printable

MB = 2**20
IMAGE_CODES = {"image_corrupt", "image_too_large", "image_type_mismatch", "image_type_unsupported"}
MEMBER_CODES = {"image_corrupt", "image_type_unsupported"}
ARCHIVE_CODES = {"archive_corrupt", "archive_limit"}
NAMES = ("a.jpg", "a.png", "a.gif", "a.tif", "a.webp", "a.heic", "a.avif", "a.bmp", "a", "")

# Counted: our reader and the Python that it hands the bytes to.
INSTRUMENTED = {
    "header": ("imagesize", "models.images"),
    "archive": (
        "zipfile",
        "tarfile",
        "gzip",
        "_compression",
        "workers.archives",
        "workers.tar_stream",
        "workers.unpacked",
    ),
    "exif": ("PIL.TiffImagePlugin", "PIL.Image", "models.images.exif"),
}
Run = Callable[[bytes], None]


def header(folder: Path) -> Run:
    """models.images.header.check_header: a Header, or ImageRejected with one of four codes."""
    found = _instrumented("header", "models.images.header")
    path = folder / "upload"

    def run(data: bytes) -> None:
        path.write_bytes(data)
        try:
            checked = found.check_header(path, NAMES[len(data) % len(NAMES)])
        except found.ImageRejected as refused:
            assert refused.code in IMAGE_CODES and refused.detail.endswith("."), refused
            return
        assert checked.format in found.FORMATS
        assert checked.width is None or 0 < checked.width * checked.height <= found.MAX_PIXELS, checked

    return run


def archive(folder: Path) -> Run:
    """workers.archives.members: bytes or a code for every member, or ArchiveError; never more bytes than allowed."""
    found = _instrumented("archive", "workers.archives")
    settings = importlib.import_module("app.settings").Settings(
        data=folder, max_archive_bytes=16 * MB, max_archive_members=500
    )
    path = folder / "archive"

    def run(data: bytes) -> None:
        path.write_bytes(data)
        try:
            unpacked = sum(
                _unpacked(found, one) for one in found.members(path, "zip" if data[:2] == b"PK" else "tar", settings)
            )
            assert unpacked <= settings.max_archive_bytes
        except found.ArchiveError as refused:
            assert refused.code in ARCHIVE_CODES and refused.detail.endswith("."), refused
        assert [one.name for one in folder.iterdir()] == ["archive"], "nothing is extracted by name"

    return run


def _unpacked(archives: ModuleType, member: Any) -> int:
    assert 0 < len(member.name) <= 4096 and member.name == printable(member.name), member.name
    if member.refused:
        assert member.refused[0] in MEMBER_CODES
        return 0
    try:
        return sum(map(len, member.pieces))
    except archives.MemberCorrupt as damaged:
        assert str(damaged)
        return 0


def exif(folder: Path) -> Run:
    """models.images.exif.read_capture: plain values for a block of EXIF, whatever is in it; it raises nothing."""
    found = _instrumented("exif", "models.images.exif")
    image = importlib.import_module("PIL.Image")
    importlib.import_module("PIL.TiffImagePlugin")

    def run(data: bytes) -> None:
        picture = image.new("L", (1, 1))
        picture.info["exif"] = b"Exif\0\0" + data
        _check_capture(found.read_capture(picture))
        try:
            picture = image.open(BytesIO(data), formats=["TIFF"])
        except Exception:  # the decoder's own business: normalise calls all of it a damaged picture
            return
        _check_capture(found.read_capture(picture))

    return run


def _check_capture(capture: Any) -> None:
    assert 1 <= capture.orientation <= 8
    assert capture.camera is None or (0 < len(capture.camera) <= 100 and capture.camera.isprintable())
    assert capture.taken_at is None or capture.taken_at.utcoffset().total_seconds() == 0
    shot = capture.shot or {}
    assert json.loads(json.dumps(shot, allow_nan=False)) == shot
    for value in shot.values():
        assert not isinstance(value, str) or (0 < len(value) <= 100 and value.isprintable() and value.encode())


def _instrumented(target: str, module: str) -> ModuleType:
    """The module, with what it imports of INSTRUMENTED; what was imported before is forgotten, and imported anew."""
    for name in list(sys.modules):
        if name.startswith(INSTRUMENTED[target]):
            del sys.modules[name]
    with atheris.instrument_imports(include=list(INSTRUMENTED[target])):
        return importlib.import_module(module)


TARGETS = {"header": header, "archive": archive, "exif": exif}


def main() -> None:
    with TemporaryDirectory() as folder:
        run = TARGETS[sys.argv[1]](Path(folder))
        atheris.Setup([sys.argv[0], *sys.argv[2:]], run)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
