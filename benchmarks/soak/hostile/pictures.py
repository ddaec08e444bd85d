"""Bad pictures: cut, flipped, misnamed, two things at once, or built to lie (benchmarks/soak/hostile/structures.py)."""

import random
import zipfile
from collections.abc import Iterator
from io import BytesIO
from itertools import islice
from pathlib import Path

from benchmarks.soak.hostile.sample import Sample
from benchmarks.soak.hostile.structures import plain, structures
from models.images import FORMATS
from tests.models.images.test_damage import WHOLE
from tests.models.images.test_header import FOREIGN

NAMES = (
    "", " ", ".", "..", "\0", "a\0.jpg", "\0.jpg", "../../escaped.jpg", "/tmp/escaped.jpg", "C:\\escaped.jpg",
    "a\tb.jpg", "\u202egpj.exe", "n" * 4_000 + ".jpg", "\U0001f426.jpg",
    "<script>alert(1)</script>.jpg", "'; DROP TABLE images; --.jpg", "con.jpg", "%00.jpg", "a%0d%0aX-Y: z.jpg",
)  # fmt: skip
FLIPPED = 500  # at least
SCRIPT = b"<html><script>alert(document.cookie)</script></html>"


def hostile_pictures(count: int, seed: int) -> Iterator[Sample]:
    """At least `count`: everything there is of the fixed kinds, and flipped bits for the rest."""
    rng = random.Random(seed)
    fixed = 0
    for make in (cut, structures, misnamed, both, foreign, nearly_nothing, named):
        for sample in make():
            fixed += 1
            yield sample
    yield from islice(flipped(rng), max(FLIPPED, count - fixed))


def cut() -> Iterator[Sample]:
    """Every format at every percent."""
    for kind, data in WHOLE.items():
        for percent in range(1, 100):
            yield Sample("cut", f"cut-{kind}-{percent}", data[: len(data) * percent // 100])


def flipped(rng: random.Random) -> Iterator[Sample]:
    """One to sixteen bits, half of them in the first 300 bytes, where the structure is."""
    kinds = sorted(WHOLE)
    for number in range(1_000_000):
        kind = kinds[number % len(kinds)]
        data = bytearray(WHOLE[kind])
        for _ in range(rng.randint(1, 16)):
            data[rng.randrange(min(300, len(data)) if rng.random() < 0.5 else len(data))] ^= 1 << rng.randrange(8)
        yield Sample("flipped", f"flipped-{kind}-{number}", bytes(data))


def misnamed() -> Iterator[Sample]:
    for kind in FORMATS:
        for claimed in FORMATS:
            if kind != claimed:
                yield Sample("misnamed", f"{kind}.{claimed}", plain(kind))


def both() -> Iterator[Sample]:
    """A picture and an archive, a page or a document at once."""
    for kind in FORMATS:
        for comment in (b"", b"a comment"):
            buffer = BytesIO(plain(kind))
            buffer.seek(0, 2)
            with zipfile.ZipFile(buffer, "a") as archive:
                archive.writestr("page.html", SCRIPT)
                archive.comment = comment
            yield Sample("both", f"zip.{kind}", buffer.getvalue())
        for tail in (SCRIPT, b"%PDF-1.7\n1 0 obj\n<<>>\n%%EOF", b"\x1f\x8b\x08" + bytes(40), b"#!/bin/sh\n" * 9):
            yield Sample("both", f"tail.{kind}", plain(kind) + tail)
    yield Sample("both", "script.gif", b"GIF89a/*" + bytes(4) + b"*/=1;alert(1);" + plain("gif")[20:])


def foreign() -> Iterator[Sample]:
    """EPS, PDF, SVG, PSD and others, as themselves and as pictures."""
    for kind, data in FOREIGN.items():
        for name in (f"{kind.split()[0]}.jpg", f"a.{kind.split()[0]}", "a.png", "a.tiff", "a"):
            yield Sample("foreign", name, data)


def nearly_nothing() -> Iterator[Sample]:
    for kind in FORMATS:
        for length in (0, 1, 2, 3, 4, 8, 11, 12, 13, 16, 24, 32):
            yield Sample("nearly nothing", f"short.{kind}", plain(kind)[:length])


def named() -> Iterator[Sample]:
    for number, name in enumerate(NAMES):
        yield Sample("named", name, plain("jpeg") + number.to_bytes(2))


def collected(folder: Path) -> Iterator[Sample]:
    """Files that somebody has gathered; a name without its extension claims nothing."""
    for path in sorted(folder.iterdir()):
        if path.is_file():
            yield Sample("collected", path.name, path.read_bytes())
