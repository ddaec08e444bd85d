"""Archives of every kind of malice: members come as streams with display names, and nothing is extracted by name."""

import bz2
import errno
import gzip
import lzma
import os
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.settings import Settings
from tests.workers.made_archives import MB, entries, link, tarred, until_error, walk, zipped
from workers import archives
from workers.archives import ArchiveError, members

FILES = (("wren/1.jpg", b"one"), ("wren/2.jpg", b"two" * 1000), ("empty", b""))


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar_in_any_compression(tmp_path: Path, mode: str) -> None:
    assert entries(tarred(*FILES, mode=mode), "tar", tmp_path) == list(FILES)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_zip_in_any_compression(tmp_path: Path, compression: int) -> None:
    assert entries(zipped(*FILES, compression=compression), "zip", tmp_path) == list(FILES)


def test_packed_in_parts(tmp_path: Path) -> None:
    """As pigz, pbzip2 and xz make them, and with the zeros that may stand between two parts of an xz."""
    data = tarred(*FILES)
    for pack, between in ((gzip.compress, b""), (bz2.compress, b""), (lzma.compress, b""), (lzma.compress, bytes(8))):
        packed = between.join(pack(data[place : place + 1000]) for place in range(0, len(data), 1000)) + between
        assert entries(packed, "tar", tmp_path) == list(FILES)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_unpacks_to_something_else_is_corrupt(tmp_path: Path, compression: int) -> None:
    data = zipped(("a.jpg", b"one" * 99), ("b.jpg", b"two"), compression=compression)
    for offset, value in ((16, 7), (24, 298)):  # the checksum, and a size of one more byte
        lies = bytearray(data)
        struct.pack_into("<L", lies, lies.index(b"PK\x01\x02") + offset, value)
        assert entries(bytes(lies), "zip", tmp_path) == [("a.jpg", "corrupt"), ("b.jpg", b"two")]


def test_empty_archives(tmp_path: Path) -> None:
    assert entries(zipped(), "zip", tmp_path) == [] == entries(tarred(), "tar", tmp_path)


def test_folders_and_clutter_are_left_out(tmp_path: Path) -> None:
    clutter = ("__MACOSX/._1.jpg", ".DS_Store", "wren/Thumbs.db", "wren/._2.jpg", "desktop.ini")
    files = [("wren/", b""), *((name, b"x") for name in clutter), ("wren/1.jpg", b"one"), ("a__MACOSX/2.jpg", b"two")]
    kept = [("wren/1.jpg", b"one"), ("a__MACOSX/2.jpg", b"two")]
    assert entries(zipped(*files), "zip", tmp_path) == kept
    folder = tarfile.TarInfo("wren")
    folder.type = tarfile.DIRTYPE
    assert entries(tarred((folder, b""), *files[1:]), "tar", tmp_path) == kept


NAMES = {
    "../../x.jpg": "../../x.jpg",
    "/etc/passwd": "/etc/passwd",
    "C:\\temp\\x.jpg": "C:/temp/x.jpg",
    "..\\x.jpg": "../x.jpg",
    "a/../../b.jpg": "a/../../b.jpg",
    "tab\t\x1b[31m.jpg": "tab[31m.jpg",
    "u\u0308.jpg": "ü.jpg",
    "n" * 5000: "n" * 4096,
}


def test_names_are_only_shown(tmp_path: Path) -> None:
    """Traversal, absolute paths, drives: a name of a member never becomes a path of ours."""
    inside = tmp_path / "inside"
    inside.mkdir()
    before = sorted(tmp_path.rglob("*"))
    for kind, data in (
        ("zip", zipped(*((name, b"x") for name in NAMES))),
        ("tar", tarred(*((name, b"x") for name in NAMES), format=tarfile.PAX_FORMAT)),
    ):
        assert entries(data, kind, inside) == [(shown, b"x") for shown in NAMES.values()]
    (inside / "archive").unlink()
    assert sorted(tmp_path.rglob("*")) == before


def test_names_that_are_no_unicode(tmp_path: Path) -> None:
    data = tarred(("latin-\udce9.jpg", b"x"), format=tarfile.GNU_FORMAT)
    assert entries(data, "tar", tmp_path) == [("latin-\ufffd.jpg", b"x")]


def test_a_member_of_a_zip_without_a_name(tmp_path: Path) -> None:
    """zipfile ends a name at its first NUL."""
    data = zipped(("no-name", b"x"), ("b.jpg", b"y")).replace(b"no-name", b"\0x.jpeg")
    assert entries(data, "zip", tmp_path) == [("unnamed", b"x"), ("b.jpg", b"y")]


def test_one_name_twice_is_two_members(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = zipped(("a.jpg", b"1"), ("a.jpg", b"2"))
    assert entries(data, "zip", tmp_path) == [("a.jpg", b"1"), ("a.jpg", b"2")]
    assert entries(tarred(("a.jpg", b"1"), ("a.jpg", b"2")), "tar", tmp_path) == [("a.jpg", b"1"), ("a.jpg", b"2")]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    data = tarred(("a.jpg", b"one"), (link(kind), b""), (link(kind, "loop", "loop"), b""), ("b.jpg", b"two"))
    code = "image_type_unsupported"
    assert entries(data, "tar", tmp_path) == [("a.jpg", b"one"), ("link.jpg", code), ("loop", code), ("b.jpg", b"two")]


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("link.jpg")
    info.external_attr = 0o120777 << 16
    found = entries(zipped((info, b"/etc/passwd"), ("b.jpg", b"two")), "zip", tmp_path)
    assert found == [("link.jpg", "image_type_unsupported"), ("b.jpg", b"two")]


def test_an_encrypted_member_is_refused_alone(tmp_path: Path) -> None:
    data = bytearray(zipped(("secret.jpg", b"x"), ("b.jpg", b"two")))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # bit 0 of the flags, in both places
        data[data.index(signature) + offset] |= 1
    assert entries(bytes(data), "zip", tmp_path) == [("secret.jpg", "image_corrupt"), ("b.jpg", b"two")]


def test_a_broken_member_of_a_zip_is_alone(tmp_path: Path) -> None:
    data = zipped(("a.jpg", b"one" * 99), ("b.jpg", b"two"))
    flipped = data.replace(b"one" * 99, b"one" * 98 + b"uno")
    assert entries(flipped, "zip", tmp_path) == [("a.jpg", "corrupt"), ("b.jpg", b"two")]


def test_an_unknown_compression_is_one_members_fault(tmp_path: Path) -> None:
    data = bytearray(zipped(("a.jpg", b"one"), ("b.jpg", b"two")))
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        struct.pack_into("<H", data, data.index(signature) + offset, 97)
    assert entries(bytes(data), "zip", tmp_path) == [("a.jpg", "corrupt"), ("b.jpg", b"two")]


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04" + bytes(100), b"PK\x05\x06", b"no archive at all" * 99])
def test_what_is_no_zip(tmp_path: Path, data: bytes) -> None:
    assert until_error(data, "zip", tmp_path) == ([], "archive_corrupt")


@pytest.mark.parametrize("data", [b"", b"\x1f\x8b" + bytes(100), b"no archive at all" * 99, os.urandom(4096)])
def test_what_is_no_tar(tmp_path: Path, data: bytes) -> None:
    assert until_error(data, "tar", tmp_path) == ([], "archive_corrupt")


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_what_came_before_the_cut_is_kept(tmp_path: Path, mode: str) -> None:
    files = [(f"{n}.jpg", os.urandom(40_000)) for n in range(8)]
    data = tarred(*files, mode=mode)
    found, code = until_error(data[: len(data) * 6 // 10], "tar", tmp_path)
    assert code == "archive_corrupt" and found == files[: len(found)] and len(found) >= 2


def test_a_broken_header_is_not_the_end(tmp_path: Path) -> None:
    """tarfile alone would stop here and say nothing, and the rest would be lost unnoticed."""
    data = bytearray(tarred(("a.jpg", b"one"), ("b.jpg", b"two"), ("c.jpg", b"three")))
    data[2 * 512 + 3] ^= 1
    assert until_error(bytes(data), "tar", tmp_path) == ([("a.jpg", b"one")], "archive_corrupt")
    whole = tarred(("a.jpg", b"one"), ("b.jpg", b"two"))
    assert until_error(whole[: 2 * 512 + 100], "tar", tmp_path) == ([("a.jpg", b"one")], "archive_corrupt")
    assert entries(whole[: 4 * 512], "tar", tmp_path) == [("a.jpg", b"one"), ("b.jpg", b"two")], (
        "no end mark is no harm"
    )


BASE = {
    "zip": zipped(*FILES, compression=zipfile.ZIP_DEFLATED),
    "zip of bz2": zipped(*FILES, compression=zipfile.ZIP_BZIP2),
    "zip of lzma": zipped(*FILES, compression=zipfile.ZIP_LZMA),
    "tar": tarred(*FILES),
    "gz": tarred(*FILES, mode="w:gz"),
    "xz": tarred(*FILES, mode="w:xz"),
}


@given(name=st.sampled_from(sorted(BASE)), place=st.floats(0, 1), junk=st.binary(max_size=8), cut=st.booleans())
@hypothesis_settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_damage_raises_anything_else(tmp_path: Path, name: str, place: float, junk: bytes, cut: bool) -> None:
    data = BASE[name]
    at = int(place * len(data))
    damaged = data[:at] + junk + (b"" if cut else data[at + len(junk) :])
    try:
        for _, content in walk(damaged, "zip" if name.startswith("zip") else "tar", tmp_path, max_archive_bytes=MB):
            assert content is not None
    except ArchiveError as error:
        assert error.code in ("archive_corrupt", "archive_limit")


@pytest.mark.parametrize(("kind", "reads"), [("zip", archives._ZipFile), ("tar", archives._Counted)])
def test_a_disk_that_fails_is_not_the_archives_fault(
    tmp_path: Path, kind: str, reads: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mount whose server is away gives errors to whoever reads; the archive is whole."""
    path = tmp_path / "archive"
    path.write_bytes(zipped(*FILES) if kind == "zip" else tarred(*FILES))

    def away(*_: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    found = members(path, kind, Settings(data=tmp_path))
    member = next(found)
    monkeypatch.setattr(reads, "read", away)
    with pytest.raises(OSError) as caught:
        list(member.pieces)
    assert caught.value.errno == errno.EIO
