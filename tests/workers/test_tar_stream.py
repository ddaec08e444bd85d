"""What tarfile reads of a tar is read of it here, and what would keep tarfile busy for hours takes no time."""

import io
import tarfile
from pathlib import Path
from time import process_time

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.workers.made_archives import MB, entries, tarred, until_error
from workers.archives import ArchiveError

NAMES = st.text("abc. äß鳥\U0001f426", min_size=1, max_size=300)
FILES = st.lists(st.tuples(NAMES, st.binary(max_size=1500)), min_size=1, max_size=6)
FORMATS = st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
END = bytes(1024)


def read_by_tarfile(data: bytes) -> list[bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return [file.read() for info in archive if (file := archive.extractfile(info))]


def long_header(kind: bytes, body: bytes) -> bytes:
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, len(body)
    return info.tobuf(tarfile.GNU_FORMAT) + body + bytes(-len(body) % 512)


def header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


@given(files=FILES, form=FORMATS)
@hypothesis_settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_names_and_data_as_tarfile_writes_them(tmp_path: Path, files: list[tuple[str, bytes]], form: int) -> None:
    files = [(f"{number}{name}", data) for number, (name, data) in enumerate(files)]  # no clutter
    data = tarred(*files, format=form)
    found = entries(data, "tar", tmp_path)
    assert [len(name) for name, _ in found] == [len(name) for name, _ in files]
    assert [content for _, content in found] == [content for _, content in files] == read_by_tarfile(data)


def test_a_size_in_the_attributes_counts(tmp_path: Path) -> None:
    """So sizes over 8 GB are told; it is the size of the file, not of what else is said of it (a long name)."""
    name = long_header(tarfile.GNUTYPE_LONGNAME, b"long.jpg\0")
    body = b"one" + bytes(509)
    for before in (b"", name):
        data = (
            long_header(tarfile.XHDTYPE, b"10 size=3\n") + before + header("a.jpg", 0) + body + tarred(("b.jpg", b"x"))
        )
        shown = "long.jpg" if before else "a.jpg"
        assert entries(data, "tar", tmp_path) == [(shown, b"one"), ("b.jpg", b"x")]


@pytest.mark.parametrize(
    "body",
    [b"1" * 30, b"8 size=3\n", b"10 size=x\n", b"11 size=-3\n", b"9999 a=b\n", b"0 a=b\n", b"5 abc\n", b"a=b\n"],
)
def test_broken_attributes(tmp_path: Path, body: bytes) -> None:
    data = long_header(tarfile.XHDTYPE, body) + header("a.jpg", 0) + END
    assert until_error(data, "tar", tmp_path) == ([], "archive_corrupt")


@pytest.mark.parametrize(
    "body",
    [b"1" * MB, b"0" * 4000 + b"1 " + b"k" * 1_000_000 + b"=v\n"],  # CVE-2024-6232, and a record within a record
    ids=["digits", "records"],
)
def test_attributes_are_read_once(tmp_path: Path, body: bytes) -> None:
    before = process_time()
    assert until_error(long_header(tarfile.XHDTYPE, body) + header("a.jpg", 0) + END, "tar", tmp_path)[0] == []
    assert process_time() - before < 1


def test_nothing_is_skipped_after_the_end(tmp_path: Path) -> None:
    """tarfile would read exabytes of nothing, with an attempt for each 10 KB."""
    before = process_time()
    for claimed in (10**12, 2**70):
        data = tarred(("a.jpg", b"x"))[:1024] + header("._clutter", claimed) + bytes(10_240)
        assert until_error(data, "tar", tmp_path) == ([("a.jpg", b"x")], "archive_corrupt")
    assert process_time() - before < 1


def cut_in_a_map() -> bytes:
    info = tarfile.TarInfo("a.jpg")
    info.type = tarfile.GNUTYPE_SPARSE
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[482] = 1
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize(
    "data",
    [
        cut_in_a_map(),
        cut_in_a_map() + bytes(100),
        long_header(tarfile.XHDTYPE, b"6 a=b\n"),
        long_header(tarfile.GNUTYPE_LONGNAME, b"n" * 900)[:1000],
        header("a.jpg", -1) + END,
        header("a.jpg", 2**70),
        long_header(tarfile.XHDTYPE, b"6 a=b\n") + END,
    ],
)
def test_cut_in_what_is_said_of_a_member(tmp_path: Path, data: bytes) -> None:
    assert until_error(data, "tar", tmp_path) == ([], "archive_corrupt")


@given(
    blocks=st.lists(st.tuples(st.integers(0, 511), st.integers(0, 255), st.booleans()), max_size=6),
    kind=st.binary(min_size=1, max_size=1),
)
@hypothesis_settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_header_with_a_right_checksum(tmp_path: Path, blocks: list[tuple[int, int, bool]], kind: bytes) -> None:
    """What damage by chance never reaches, as the checksum comes first."""
    block = bytearray(header("a.jpg", 600))
    block[156:157] = kind
    for place, value, _ in blocks:
        block[place] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    data = bytes(block) + b"12 path=x.jpg\n".ljust(1024, b"\1") + header("b.jpg", 3) + b"two".ljust(512, b"\0") + END
    try:
        entries(data, "tar", tmp_path, max_archive_bytes=MB)
    except ArchiveError as error:
        assert error.code in ("archive_corrupt", "archive_limit")
