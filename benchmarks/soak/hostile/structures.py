"""Pictures whose structure lies: sizes, offsets, lengths of chunks and boxes, loops, bombs."""

import struct
import zlib
from collections.abc import Iterator
from functools import cache
from io import BytesIO

from PIL import Image, ImageCms

from benchmarks.soak.hostile.sample import Sample
from tests.models.images.scene import encoded, scene
from tests.models.images.test_header import gif_of, png_claiming

MB = 2**20
SIDES = (0, 1, 16_384, 30_000, 32_767, 32_768, 65_000, 65_535)
LENGTHS = (0, 1, 7, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
PNG = b"\x89PNG\r\n\x1a\n"
ISO = ("heic", "avif")


@cache
def plain(format: str) -> bytes:
    return encoded(scene(160, 120), format)


def structures() -> Iterator[Sample]:
    for make in (claims, frames, chunks, boxes, directories, exif, profiles, texts, bombs):
        for number, (name, data) in enumerate(make()):
            stem, _, extension = name.rpartition(".")
            yield Sample(make.__name__, f"{stem}-{number}.{extension}", data)


def claims() -> Iterator[tuple[str, bytes]]:
    """Headers that claim any size up to 65,535 x 65,535 for a small picture."""
    for width, height in ((a, b) for a in SIDES for b in (1, 65_000, 65_535)):
        yield "claim.png", png_claiming(width, height)
        yield "claim.gif", _at(plain("gif"), 6, struct.pack("<HH", width, height))
        yield "claim.bmp", _at(plain("bmp"), 18, struct.pack("<ii", width, -height))
        jpeg = plain("jpeg")
        yield "claim.jpg", _at(jpeg, jpeg.index(b"\xff\xc0") + 5, struct.pack(">HH", height, width))
        yield "claim.webp", _at(plain("webp"), 26, struct.pack("<HH", width & 0x3FFF, height & 0x3FFF))
        yield "claim.tif", tiff({256: (4, 1, width), 257: (4, 1, height)})
        for format in ISO:
            data = plain(format)
            yield f"claim.{format}", _at(data, data.index(b"ispe") + 8, struct.pack(">II", width, height))
    yield "claim.png", png_claiming(2**31 - 1, 2**31 - 1)
    yield "claim.bmp", _at(plain("bmp"), 18, struct.pack("<ii", -(2**31), -(2**31)))


def frames() -> Iterator[tuple[str, bytes]]:
    for count, side in ((5_000, 2), (5_001, 2), (10_000, 2), (10_000, 65_535), (60, 1000), (1, 65_535)):
        yield "frames.gif", gif_of(count, side)
    yield "crumbs.gif", gif_of(0)[:-1] + b"\x2c" + bytes(9) + b"\x02" + b"\x01A" * 400_000
    many = [scene(32, 24).rotate(turn) for turn in range(0, 360, 2)]
    for format in ("webp", "png", "tiff", "avif"):
        yield f"moving.{format}", encoded(many[0], format, save_all=True, append_images=many[1:])
    data = encoded(many[0], "png", save_all=True, append_images=many[1:3])
    for count in (0, 10_000, 0xFFFFFFFF):
        yield "frames.png", _at(data, data.index(b"acTL") + 4, struct.pack(">I", count))


def chunks() -> Iterator[tuple[str, bytes]]:
    """PNG chunks, JPEG segments, RIFF chunks and BMP offsets with a length that is not theirs."""
    png, jpeg, webp, bmp = (plain(format) for format in ("png", "jpeg", "webp", "bmp"))
    for length in LENGTHS:
        for kind in (b"IHDR", b"IDAT", b"IEND"):
            yield "chunk.png", _at(png, png.index(kind) - 4, struct.pack(">I", length))
        for marker in (b"\xff\xe0", b"\xff\xdb", b"\xff\xc0", b"\xff\xc4", b"\xff\xda"):
            yield "segment.jpg", _at(jpeg, jpeg.index(marker) + 2, struct.pack(">H", length & 0xFFFF))
        for place in (4, 16):
            yield "chunk.webp", _at(webp, place, struct.pack("<I", length))
        for place in (2, 10, 14, 28, 34, 46):
            yield "offset.bmp", _at(bmp, place, struct.pack("<I", length))
    for kind in (b"IHDR", b"IDAT"):
        yield "crc.png", _at(png, png.index(kind) + 5, b"\x55")
    yield "endless.jpg", jpeg[:2] + b"\xff\xe1\xff\xff" + bytes(65_533) + b"\xff" * 300_000
    yield "segments.jpg", jpeg[:2] + b"\xff\xe5\x00\x02" * 200_000 + jpeg[2:]


def boxes() -> Iterator[tuple[str, bytes]]:
    """HEIC and AVIF: every box of the first kilobyte with each of the lengths."""
    for format in ISO:
        data = plain(format)
        for kind in (b"ftyp", b"meta", b"hdlr", b"pitm", b"iloc", b"iinf", b"iprp", b"ipco", b"ispe", b"ipma", b"mdat"):
            if (place := data.find(kind)) < 4:
                continue
            for length in LENGTHS:
                yield f"{kind.decode()}.{format}", _at(data, place - 4, struct.pack(">I", length))
        place = data.index(b"iloc") + 8
        for at in range(place, place + 24, 2):
            yield f"places.{format}", _at(data, at, b"\xff\xff")
        yield f"nested.{format}", data[:4] + data[4:24] + b"\x00\x00\x00\x08meta" * 50_000


def directories() -> Iterator[tuple[str, bytes]]:
    """TIFF: directories that name themselves, strips outside of the file, counts without end, odd values."""
    for following in (8, 10, 0xFFFFFFF0):
        yield "loop.tif", tiff({}, following=following)
    for tag in (330, 34665, 34853):
        yield "loop.tif", tiff({tag: (4, 1, 8)})
    for tag, kind in ((273, 4), (279, 4), (258, 3), (320, 3), (700, 1), (34675, 7), (33432, 2)):
        for count in LENGTHS:
            yield "count.tif", tiff({tag: (kind, count, 8)})
    for tag in (256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 317, 322, 323, 338, 339):
        for value in (0, 8, 255, 65_535, 0xFFFFFFFF):
            yield "value.tif", tiff({tag: (4, 1, value)})
    yield "big.tif", b"II+\x00\x08\x00\x00\x00" + struct.pack("<Q", 16) + struct.pack("<Q", 2**60)
    yield "entries.tif", b"II*\x00\x08\x00\x00\x00\xff\xff" + bytes(100)


def tiff(changed: dict[int, tuple[int, int, int]], following: int = 0) -> bytes:
    """16 x 16 grey; `changed` replaces or adds entries, tag -> (type, count, value or place)."""
    entries = {
        256: (4, 1, 16), 257: (4, 1, 16), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1), 273: (4, 1, 512),
        277: (3, 1, 1), 278: (4, 1, 16), 279: (4, 1, 256),
    } | changed  # fmt: skip
    directory = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in sorted(entries.items()))
    head = b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", len(entries)) + directory + struct.pack("<I", following)
    return head.ljust(512, b"\0") + bytes(range(256))


def exif() -> Iterator[tuple[str, bytes]]:
    """EXIF that points outside of itself, at itself, or claims more than there is."""
    blocks = [tiff({tag: (kind, count, place)}) for tag in (34665, 34853, 271, 40962) for kind in (2, 4, 5, 13)
              for count, place in ((1, 8), (1, 0xFFFFFF00), (0xFFFFFFFF, 8), (60_000, 500))]  # fmt: skip
    blocks += [b"", b"II", b"MM\x00*\xff\xff\xff\xff", tiff({}, following=8), b"II*\0\x08\0\0\0\xff\xff" + bytes(900)]
    for block in blocks:
        yield "exif.jpg", encoded(scene(64, 48), "jpeg", exif=b"Exif\0\0" + block)
    for block in blocks[::8]:
        for format in ("png", "webp"):
            yield f"exif.{format}", encoded(scene(64, 48), format, exif=b"Exif\0\0" + block)


def profiles() -> Iterator[tuple[str, bytes]]:
    """ICC profiles that are cut, bent, made for other pixels, or nothing but zeros."""
    whole = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    bent = [_at(whole, at, b"\xff\xff\xff\xff") for at in range(0, 200, 8)]
    cut = [whole[: len(whole) * share // 10] for share in range(10)]
    for profile in (
        *bent,
        *cut,
        bytes(60_000),
        whole + bytes(400_000),
        _at(whole, 16, b"CMYK"),
        _at(whole, 16, b"GRAY"),
    ):
        for format in ("jpeg", "png", "tiff"):
            yield f"profile.{format}", encoded(scene(64, 48), format, icc_profile=profile)


def texts() -> Iterator[tuple[str, bytes]]:
    """PNG texts and profiles of some kilobytes that unpack to 64 MB, and plain ones of 20 MB."""
    packed = zlib.compress(bytes(64 * MB), 9)
    for kind, body in (
        (b"zTXt", b"Comment\0\0" + packed), (b"iTXt", b"Comment\0\1\0\0\0" + packed), (b"iCCP", b"icc\0\0" + packed),
        (b"tEXt", b"Comment\0" + b"x" * (20 * MB)), (b"eXIf", bytes(20 * MB)), (b"tRNS", bytes(MB)),
        (b"PLTE", bytes(MB)),
    ):  # fmt: skip
        yield "text.png", _with_chunk(kind, body)
    yield "texts.png", _with_chunk(b"tEXt", b"a\0b", times=100_000)
    yield "texts.png", _with_chunk(b"zTXt", b"Comment\0\0" + packed, times=50)


def bombs() -> Iterator[tuple[str, bytes]]:
    """Small files that decode to much, for long: at the limit of pixels, in thousands of scans, or without an end."""
    grey = Image.new("L", (7_000, 7_000), 128)
    progressive = encoded(grey, "jpeg", progressive=True)
    scan = progressive[progressive.rindex(b"\xff\xda") : -2]
    yield "scans.jpg", progressive[:-2] + scan * 400 + b"\xff\xd9"
    small = encoded(scene(64, 48), "jpeg", progressive=True)
    yield "scans.jpg", small[:-2] + small[small.rindex(b"\xff\xda") : -2] * 2_000 + b"\xff\xd9"
    yield "deep.png", encoded(Image.new("I;16", (7_000, 7_000)), "png")
    yield "flat.tif", encoded(Image.new("RGBA", (7_000, 7_000)), "tiff", compression="tiff_adobe_deflate")
    yield "flat.webp", encoded(Image.new("RGBA", (7_000, 7_000)), "webp", lossless=True)
    yield "strip.png", encoded(Image.new("L", (1, 40_000_000)), "png")
    buffer = BytesIO()
    Image.new("1", (50_000, 1_000)).save(buffer, "TIFF", compression="group4")
    yield "strip.tif", buffer.getvalue()
    data = png_claiming(4, 4)
    at = data.index(b"IDAT") - 4
    yield "data.png", data[:at] + _chunk(b"IDAT", zlib.compress(bytes(200 * MB), 9)) + _chunk(b"IEND", b"")


def _at(data: bytes, place: int, new: bytes) -> bytes:
    return data[:place] + new + data[place + len(new) :]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _with_chunk(kind: bytes, body: bytes, times: int = 1) -> bytes:
    data = plain("png")
    first = data.index(b"IDAT") - 4
    return data[:first] + _chunk(kind, body) * times + data[first:]
