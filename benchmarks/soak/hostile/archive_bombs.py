"""Archives of kilobytes that unpack to gigabytes, and directories of a million entries."""

import bz2
import gzip
import lzma
import struct
import tarfile
import zipfile
from collections.abc import Iterator

from benchmarks.soak.hostile.sample import Sample
from tests.workers.made_archives import MB, tarred, zipped

MILLION = 1_000_000


def archive_bombs() -> Iterator[Sample]:
    for make in (streams, entries, crowds, long_headers):
        yield from make()


def streams() -> Iterator[Sample]:
    """Two gigabytes of nothing: one file of a tar, once packed and then repeated, and no tar at all."""
    for compress in (gzip.compress, bz2.compress, lzma.compress):
        block = compress(bytes(64 * MB))
        yield Sample("bomb", "tar", compress(_header("bomb.jpg", 2048 * MB)) + block * 32)
        yield Sample("bomb", "tar", block * 32)
    folder = _header("folder", 2048 * MB, tarfile.DIRTYPE)
    yield Sample("bomb", "tar", gzip.compress(folder) + gzip.compress(bytes(64 * MB)) * 32)


def entries() -> Iterator[Sample]:
    """One block of zeros under five hundred names, each of its own and all of the same bytes (overlapping)."""
    zeros = bytes(99 * MB)
    yield Sample("bomb", "zip", zipped(*((f"{n}.jpg", zeros) for n in range(3)), compression=zipfile.ZIP_DEFLATED))
    data = zipped(("kernel.jpg", zeros), compression=zipfile.ZIP_DEFLATED)
    start, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 500, 500, 500 * (end - start), start, 0)
    yield Sample("overlap", "zip", data[:start] + data[start:end] * 500 + tail)
    for compression in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        yield Sample("bomb", "zip", zipped(*((f"{n}.jpg", zeros) for n in range(3)), compression=compression))


def crowds() -> Iterator[Sample]:
    """A million entries: in a zip's directory, claimed and real, and in a tar of a few megabytes."""
    one = zipped(("a", b"x"))
    start, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
    for claimed in (1, 0xFFFF):
        tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, claimed, claimed, MILLION * (end - start), start, 0)
        yield Sample("million", "zip", one[:start] + one[start:end] * MILLION + tail)
    block = gzip.compress(_header("a.jpg", 0) * 10_000)
    yield Sample("million", "tar", block * (MILLION // 10_000))
    yield Sample("million", "tar", gzip.compress(_header("folder", 0, tarfile.DIRTYPE) * 10_000) * (MILLION // 10_000))


def long_headers() -> Iterator[Sample]:
    """A pax header and a name of gigabytes that are really there."""
    for kind in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME):
        yield Sample("bomb", "tar", gzip.compress(_header("x", 2048 * MB, kind)) + gzip.compress(bytes(64 * MB)) * 32)
    many = tarred(*((f"{n}" * 90 + ".jpg", b"x") for n in range(3_000)), mode="w:gz", format=tarfile.PAX_FORMAT)
    yield Sample("long names", "tar", many)


def _header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf()
