"""Hostile archives: names that lead away, entries that are no files, lying sizes, cuts. Mostly a good picture first."""

import bz2
import gzip
import io
import lzma
import random
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Iterator
from itertools import count

from benchmarks.soak.hostile.sample import Sample
from tests.fixtures.pictures import jpeg
from tests.workers.made_archives import MB, link, tarred, zipped

ESCAPED = "escaped-from-the-archive.jpg"
AWAY = (
    f"../{ESCAPED}", f"../../../../../../../../tmp/{ESCAPED}", f"/tmp/{ESCAPED}", f"//tmp/{ESCAPED}", f"C:\\{ESCAPED}",
    f"..\\..\\{ESCAPED}", f"a/../../{ESCAPED}", f"./../{ESCAPED}", f"~/{ESCAPED}", f"\\\\host\\share\\{ESCAPED}",
    f"file:///tmp/{ESCAPED}", f"/proc/self/cwd/{ESCAPED}",
)  # fmt: skip
TARGETS = ("/etc/passwd", "../../../roost.db", ".", "/dev/zero")
NO_FILES = (
    tarfile.SYMTYPE,
    tarfile.LNKTYPE,
    tarfile.FIFOTYPE,
    tarfile.CHRTYPE,
    tarfile.BLKTYPE,
    tarfile.CONTTYPE,
    b"Z",
)
ZIP_TYPES = (0o010777, 0o020777, 0o060777, 0o120777, 0o140777)
ODD_NAMES = (
    " ", ".", "..", "/", "a//b.jpg", "\u202egpj.exe", "n" * 60_000, "\u0301" * 500, "a\0b.jpg", "a\r\nb.jpg",
    "\U0001f426.jpg", "<script>.jpg", "con.jpg",
)  # fmt: skip
LIES = (0, 1, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
PACKED = {"tar": lambda data: data, "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
_seeds = count(1_000)


def hostile_archives(seed: int, least: int = 150) -> Iterator[Sample]:
    """At least so many; junk at random places makes up what is missing."""
    rng = random.Random(seed)
    made = 0
    for make in (away, no_files, odd_names, lies, encrypted, zip64, truncated, tar_headers, within):
        for sample in make():
            made += 1
            yield sample
    for _ in range(max(20, least - made)):
        yield _junk(rng)


def away() -> Iterator[Sample]:
    """Zip slip, in every container."""
    for name in AWAY:
        good, more = _good(), jpeg("blue", next(_seeds))
        yield Sample("away", "zip", zipped(("a.jpg", good), (name, more)), good)
        for pack in ("tar", "gz"):
            data = tarred(("a.jpg", good), (name, more), format=tarfile.PAX_FORMAT)
            yield Sample("away", "tar", PACKED[pack](data), good)


def no_files() -> Iterator[Sample]:
    """Links, then a file through the link; FIFOs, devices, sockets, kinds that nobody knows."""
    for kind in NO_FILES:
        for target in TARGETS:
            good = _good()
            through = ("link.jpg/x.jpg", jpeg("blue", next(_seeds)))
            yield Sample("no files", "tar", tarred(("a.jpg", good), (link(kind, target=target), b""), through), good)
    for mode in ZIP_TYPES:
        info = zipfile.ZipInfo("link.jpg")
        info.external_attr = mode << 16
        good = _good()
        yield Sample("no files", "zip", zipped(("a.jpg", good), (info, b"/etc/passwd")), good)


def odd_names() -> Iterator[Sample]:
    for name in ODD_NAMES:
        good = _good()
        yield Sample("names", "zip", zipped(("a.jpg", good), (name, b"x")), good)
        yield Sample("names", "tar", tarred(("a.jpg", good), (name, b"x"), format=tarfile.PAX_FORMAT), good)
    good = _good()
    raw = zipped(("a.jpg", good), ("latin-1.jpg", b"x"), ("b.jpg", b"y"))
    yield Sample("names", "zip", raw.replace(b"latin-1", b"l\xe9\xff\xc0in-"), good)
    yield Sample("names", "tar", tarred(("a.jpg", good), ("l\udce9.jpg", b"x"), format=tarfile.GNU_FORMAT), good)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        twice = [("a.jpg", jpeg("red", next(_seeds))) for _ in range(50)]
        yield Sample("names", "zip", zipped(("a.jpg", good), *twice), good)
    yield Sample("names", "tar", tarred(("a.jpg", good), *twice), good)


def lies() -> Iterator[Sample]:
    """Sizes, checksums and places that are not those of the entries."""
    for size in LIES:
        for local, central in ((22, 24), (18, 20), (14, 16)):
            data = _two(good := _good())
            for signature, offset in ((b"PK\x03\x04", local), (b"PK\x01\x02", central)):
                struct.pack_into("<L", data, data.rindex(signature) + offset, size)
            yield Sample("lies", "zip", bytes(data), good)
        data = _two(good)
        struct.pack_into("<L", data, data.rindex(b"PK\x01\x02") + 42, size)
        yield Sample("lies", "zip", bytes(data), good)
        data = _two(good)
        struct.pack_into("<L", data, data.rindex(b"PK\x05\x06") + 16, size)
        yield Sample("lies", "zip", bytes(data))


def encrypted() -> Iterator[Sample]:
    for flags, method in ((0x1, 8), (0x41, 8), (0x1, 99), (0x0, 99), (0x2000, 8), (0xFFFF, 0xFFFF)):
        data = _two(good := _good())
        for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            struct.pack_into("<2H", data, data.rindex(signature) + offset, flags, method)
        yield Sample("encrypted", "zip", bytes(data), good)


def zip64() -> Iterator[Sample]:
    """Sizes of 2^63, a directory far away, more entries than there are atoms."""
    for extra in (b"", struct.pack("<HH", 1, 60_000), struct.pack("<HHQQQ", 1, 24, 2**63, 2**63, 2**63)):
        info = zipfile.ZipInfo("big.jpg")
        info.extra = extra
        data = bytearray(zipped(("a.jpg", good := _good()), (info, b"x" * 99)))
        struct.pack_into("<LL", data, data.rindex(b"PK\x01\x02") + 20, 0xFFFFFFFF, 0xFFFFFFFF)
        yield Sample("zip64", "zip", bytes(data))
    for size, place in ((2**63, 0), (0, 2**63), (46, 2**40), (2**64 - 1, 2**64 - 1)):
        data = _two(good)
        end = data.rindex(b"PK\x05\x06")
        record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 2**64 - 1, 2**64 - 1, size, place)
        locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
        tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
        yield Sample("zip64", "zip", bytes(data[:end]) + record + locator + tail)


def truncated() -> Iterator[Sample]:
    """At each tenth."""
    files = [(f"{number}.jpg", jpeg("red", next(_seeds))) for number in range(6)]
    for pack, packed in PACKED.items():
        data = packed(tarred(*files))
        for tenth in range(1, 10):
            yield Sample(f"cut {pack}", "tar", data[: len(data) * tenth // 10])
    data = zipped(*files)
    for tenth in range(1, 10):
        yield Sample("cut zip", "zip", data[: len(data) * tenth // 10])


def tar_headers() -> Iterator[Sample]:
    """Headers of gigabytes, sparse files of terabytes, sizes below zero, extended headers that contradict."""
    for kind in (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK):
        for size in (8 * 2**30 - 1, 2**40, -(2**40), 3 * MB):
            info = tarfile.TarInfo("././@LongLink")
            info.type, info.size = kind, size
            good = _good()
            yield Sample("tar headers", "tar", _plain(good) + info.tobuf(tarfile.GNU_FORMAT) + bytes(20_480), good)
    for headers in (
        {"size": "99999999999999"}, {"size": "-1"}, {"size": "x"}, {"path": "../" + ESCAPED}, {"path": "a\0b"},
        {"linkpath": "/etc/passwd"}, {"uid": "9" * 400}, {"GNU.sparse.map": "0,1,2," * 5_000},
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(2**60)},
        {"GNU.sparse.size": str(2**60), "GNU.sparse.map": "0,1"}, {"hdrcharset": "BINARY", "path": "\udce9"},
        {"comment": "x" * 900_000},
    ):  # fmt: skip
        info = tarfile.TarInfo("sparse.jpg")
        info.pax_headers = headers
        good = _good()
        yield Sample("tar headers", "tar", _plain(good) + tarred((info, b"x" * 600), format=tarfile.PAX_FORMAT), good)


def within() -> Iterator[Sample]:
    """Archives in archives, ten deep; an entry whose data are the archive itself."""
    good = _good()
    zips = tars = jpeg("blue", next(_seeds))
    for depth in range(10):
        zips = zipped((f"{depth}.zip", zips), compression=zipfile.ZIP_DEFLATED)
        tars = tarred((f"{depth}.tar.gz", tars), mode="w:gz")
    yield Sample("within", "zip", zipped(("a.jpg", good), ("deep.zip", zips), ("deep.jpg", tars)), good)
    yield Sample("within", "tar", tarred(("a.jpg", good), ("deep.tar.gz", tars), ("deep.jpg", zips)), good)
    data = _two(_good())
    for _ in range(2):  # the second entry's data begin at the first byte of all, and end at the last
        struct.pack_into("<2L", data, data.rindex(b"PK\x01\x02") + 20, len(data), len(data))
        struct.pack_into("<L", data, data.rindex(b"PK\x01\x02") + 42, 0)
    yield Sample("within", "zip", bytes(data))


def _junk(rng: random.Random) -> Sample:
    """Some bytes of a sound archive replaced."""
    files = [(f"{number}.jpg", jpeg("red", next(_seeds))) for number in range(3)]
    pack = rng.choice(["zip", *PACKED])
    data = bytearray(zipped(*files) if pack == "zip" else PACKED[pack](tarred(*files)))
    for _ in range(rng.randint(1, 20)):
        data[rng.randrange(4, len(data))] = rng.randrange(256)
    return Sample("junk", "zip" if pack == "zip" else "tar", bytes(data))


def _good() -> bytes:
    return jpeg("green", next(_seeds))


def _two(good: bytes) -> bytearray:
    return bytearray(zipped(("a.jpg", good), ("b.jpg", b"two" * 500), compression=zipfile.ZIP_DEFLATED))


def _plain(good: bytes) -> bytes:
    """A tar without its end mark, to be gone on with."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("a.jpg")
        info.size = len(good)
        archive.addfile(info, io.BytesIO(good))
        return buffer.getvalue()
