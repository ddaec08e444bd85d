"""What an archive says of itself is read in bounded memory: its directory, its headers, the maps of its holes."""

import io
import struct
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.settings import Settings
from tests.workers.made_archives import MB, entries, tarred, until_error, zipped
from workers import archives
from workers.archives import MemberCorrupt, members

ENTRY = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, *[0] * 14)
REFUSED: tuple[list[tuple[str, bytes | str]], str] = ([], "archive_limit")


@contextmanager
def within(most: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < most, f"{peak / MB:.0f} MB"


def end_record(count: int, size: int, offset: int) -> bytes:
    return struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, size, offset, 0)


def plain(directory: bytes) -> bytes:
    return directory + end_record(1, len(directory), 0)


def signature_in_the_offset(directory: bytes) -> bytes:
    """zipfile goes by the record at the very end; a search for its signature finds another."""
    return directory + end_record(1, len(directory), int.from_bytes(b"PK\x05\x06", "little"))


def larger_in_zip64(directory: bytes) -> bytes:
    """zipfile follows the locator whatever the plain record says, and here that says nothing of it."""
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, len(directory), 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(directory), 1)
    return directory + record + locator + end_record(1, 46, 0)


@pytest.mark.parametrize("form", [plain, signature_in_the_offset, larger_in_zip64])
def test_no_form_of_the_end_hides_the_directory(tmp_path: Path, form: Callable[[bytes], bytes]) -> None:
    assert until_error(form(ENTRY * 11), "zip", tmp_path, max_archive_members=10) == REFUSED
    assert len(entries(form(ENTRY * 10), "zip", tmp_path, max_archive_members=10)) == 10


def test_a_million_members(tmp_path: Path) -> None:
    """zipfile alone would make an object of each, a gigabyte in all."""
    data = plain(ENTRY * 1_000_000)
    with within(2 * len(data)):
        assert until_error(data, "zip", tmp_path) == REFUSED


def test_a_directory_of_long_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_DIRECTORY_BYTES", MB)
    files = [(f"{n:060000}.jpg", b"x") for n in range(20)]
    assert until_error(zipped(*files), "zip", tmp_path) == REFUSED
    assert len(entries(zipped(*files[:8]), "zip", tmp_path)) == 8


def extended(kind: bytes, body: bytes) -> bytes:
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, len(body)
    return info.tobuf(tarfile.GNU_FORMAT) + body + bytes(-len(body) % 512)


def record(key: str, value: str) -> bytes:
    """Of a pax header: its own length in decimal, key and value."""
    rest = f" {key}={value}\n".encode()
    size = len(rest) + len(str(len(rest)))
    return str(len(rest) + len(str(size))).encode() + rest


END = bytes(1024)


def test_names_of_names(tmp_path: Path) -> None:
    """tarfile would read each within the one before, and run out of stack."""
    long_name = extended(tarfile.GNUTYPE_LONGNAME, b"n\0")
    member = tarred(("a.jpg", b"x"))
    assert until_error(long_name * 2000 + member, "tar", tmp_path) == REFUSED
    assert entries(long_name * 500 + member, "tar", tmp_path) == [("n", b"x")]
    long_chain = extended(tarfile.XHDTYPE, record("comment", "x" * (MB - 100))) * 100 + tarred(("a.jpg", b"x"))
    with within(24 * MB):
        assert until_error(long_chain, "tar", tmp_path) == REFUSED


def test_attributes_of_everything_do_not_pile_up(tmp_path: Path) -> None:
    """Before each member some that hold from here on; they are of no use here."""
    member = tarred(("a.jpg", b"x"))[:1024]
    data = [extended(tarfile.XGLTYPE, record(f"key{n}", "x" * (MB // 2))) + member for n in range(100)]
    whole = b"".join(data) + END
    with within(24 * MB):
        assert entries(whole, "tar", tmp_path) == [("a.jpg", b"x")] * 100


def sparse_in_pax(numbers: int) -> bytes:
    says = record("GNU.sparse.major", "1") + record("GNU.sparse.minor", "0") + record("GNU.sparse.name", "a.jpg")
    holes = f"{numbers}\n".encode() + b"1\n" * (2 * numbers)
    body = holes + bytes(-len(holes) % 512)
    info = tarfile.TarInfo("a.jpg")
    info.size = len(body)
    return extended(tarfile.XHDTYPE, says + record("GNU.sparse.realsize", "1" * 18)) + info.tobuf() + body


def sparse_of_old(blocks: int) -> bytes:
    info = tarfile.TarInfo("a.jpg")
    info.type = tarfile.GNUTYPE_SPARSE
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[482] = 1  # more of the map follows
    header[483:495] = b"77777777777\0"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header[:512])
    more = b"00000000001\0" * 42 + b"\1" + bytes(7)
    return bytes(header) + more * blocks + more[:504] + bytes(8)


@pytest.mark.parametrize("data", [sparse_in_pax(1_000_000), sparse_of_old(20_000)], ids=["pax", "old"])
def test_maps_of_holes(tmp_path: Path, data: bytes) -> None:
    """A file with holes is refused alone: neither its map nor the terabytes that it claims are made."""
    whole = data + tarred(("b.jpg", b"x"))
    with within(8 * MB):
        assert entries(whole, "tar", tmp_path) == [("a.jpg", "image_type_unsupported"), ("b.jpg", b"x")]


def test_headers_of_common_lengths(tmp_path: Path) -> None:
    """Names and attributes as real tools write them are no malice."""
    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "c" * 40}
    ) as archive:
        for n in range(3):
            info = tarfile.TarInfo("n" * 3000 + f"{n}.jpg")
            info.size, info.pax_headers = 1, {"mtime": "1.5", "SCHILY.xattr.user.note": "x" * 60_000}
            archive.addfile(info, io.BytesIO(b"x"))
    assert [content for _, content in entries(buffer.getvalue(), "tar", tmp_path)] == [b"x"] * 3


def claims_three_bytes(data: bytes) -> bytes:
    changed = bytearray(data)
    struct.pack_into("<L", changed, changed.index(b"PK\x01\x02") + 24, 3)
    return bytes(changed)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_are_unpacked_piece_by_piece(tmp_path: Path, compression: int) -> None:
    """zipfile would unpack whole what a piece of such a member holds, be it gigabytes, and then cut it to its size."""
    data = zipped(("a.jpg", bytes(100 * MB)), ("b.jpg", b"two"), compression=compression)
    path = tmp_path / "archive"
    for form, first in ((data, 100 * MB), (claims_three_bytes(data), None)):
        path.write_bytes(form)
        found: list[int | None] = []
        with within(16 * MB):
            for member in members(path, "zip", Settings(data=tmp_path, max_archive_ratio=100_000)):
                try:
                    found.append(sum(map(len, member.pieces)))
                except MemberCorrupt:
                    found.append(None)
        assert found == [first, 3]


def with_dictionary(data: bytes, code: int) -> bytes:
    """An xz that asks its reader for another dictionary (xz file format 5.3.1: 36 is a gigabyte)."""
    changed = bytearray(data)
    end = 12 + 4 * changed[12]
    changed[16] = code
    changed[end : end + 4] = struct.pack("<L", zlib.crc32(changed[12:end]))
    return bytes(changed)


def test_the_dictionary_of_an_xz(tmp_path: Path) -> None:
    data = tarred(("a.jpg", b"x"), mode="w:xz")
    assert entries(with_dictionary(data, 28), "tar", tmp_path) == [("a.jpg", b"x")], "64 MB: xz -9"
    with within(16 * MB):
        assert until_error(with_dictionary(data, 36), "tar", tmp_path) == ([], "archive_corrupt")
