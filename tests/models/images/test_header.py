"""The header check: what is let in, what is refused, and that hostile headers cost next to nothing."""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from models.images import FORMATS, ImageRejected, check_header, claimed_format, sniff
from models.images.declared import MAX_READ_BYTES, MAX_READS, BudgetReader, BudgetSpent, declared_size
from models.images.gif import MAX_STEPS, count_frames
from tests.models.images.scene import encoded, scene

FOREIGN = {
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
    "psd": b"8BPS\x00\x01" + bytes(40),
    "pdf": b"%PDF-1.7\n" + bytes(40),
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    "fits": b"SIMPLE  =                    T" + bytes(40),
    "zip": b"PK\x03\x04" + bytes(40),
    "text that begins like a BMP": b"BM is the beginning of many a word" + bytes(40),
    "mp4": b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isommp42" + bytes(40),
}


def check(folder: Path, data: bytes, name: str) -> object:
    path = folder / "upload"
    path.write_bytes(data)
    return check_header(path, name)


def refusal(folder: Path, data: bytes, name: str) -> ImageRejected:
    with pytest.raises(ImageRejected) as refused:
        check(folder, data, name)
    return refused.value


def png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(900))) + chunk(b"IEND", b"")
    )


def gif_of(frames: int, side: int = 2) -> bytes:
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + bytes(6) + frame * frames + b"\x3b"


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_recognised_and_its_size_read(format: str, tmp_path: Path) -> None:
    header = check(tmp_path, encoded(scene(), format), f"a.{format}")
    assert (header.format, header.width, header.height) == (format, 300, 200)


@pytest.mark.parametrize("kind", FOREIGN)
def test_other_kinds_of_file_are_unsupported_under_any_name(kind: str, tmp_path: Path) -> None:
    for name in ("a.jpg", f"a.{kind}", "a"):
        refused = refusal(tmp_path, FOREIGN[kind], name)
        assert refused.code == "image_type_unsupported"
        assert "heic" in refused.detail


def test_a_png_named_jpg_is_a_mismatch_that_says_what_to_do(tmp_path: Path) -> None:
    refused = refusal(tmp_path, encoded(scene(), "png"), "bird.JPG")
    assert refused.code == "image_type_mismatch"
    assert "png" in refused.detail and ".png" in refused.detail


@pytest.mark.parametrize("name", ["bird", "bird.backup", ".jpg", "jpg", "wren/0012", "\x00.\u202egpj"])
def test_no_or_an_unknown_extension_claims_nothing(name: str, tmp_path: Path) -> None:
    assert claimed_format(name) is None
    assert check(tmp_path, encoded(scene(), "png"), name).format == "png"


def test_an_empty_file_and_a_cut_signature_are_corrupt(tmp_path: Path) -> None:
    for data in (b"", b"\xff", b"\x89PNG", b"GIF8", b"RIFF\x00\x00", b"BM\x00\x00"):
        assert refusal(tmp_path, data, "a.jpg").code == "image_corrupt"


def test_a_small_png_that_claims_four_gigapixels_is_too_large(tmp_path: Path) -> None:
    data = png_claiming(65_000, 65_000)
    assert len(data) < 1024
    assert refusal(tmp_path, data, "bomb.png").code == "image_too_large"


def test_the_limit_is_fifty_megapixels(tmp_path: Path) -> None:
    assert check(tmp_path, png_claiming(10_000, 5_000), "a.png").width == 10_000
    assert refusal(tmp_path, png_claiming(10_000, 5_001), "a.png").code == "image_too_large"


def test_frames_of_a_gif_count(tmp_path: Path) -> None:
    assert count_frames(BytesIO(gif_of(7)), 100) == 7
    assert refusal(tmp_path, gif_of(10_000), "a.gif").code == "image_too_large"
    assert check(tmp_path, gif_of(50, side=1_000), "a.gif").width == 1_000
    refused = refusal(tmp_path, gif_of(51, side=1_000), "a.gif")
    assert (refused.code, "51 frames" in refused.detail) == ("image_too_large", True)


def test_a_gif_without_frames_is_as_large_as_its_screen(tmp_path: Path) -> None:
    assert check(tmp_path, gif_of(0, side=7_000) + bytes(20), "a.gif").width == 7_000
    assert refusal(tmp_path, gif_of(0, side=65_535) + bytes(20), "a.gif").code == "image_too_large"


def test_counting_frames_agrees_with_pillow() -> None:
    frames = [scene(40, 30).rotate(90 * turn) for turn in range(4)]
    data = encoded(frames[0], "gif", save_all=True, append_images=frames[1:], duration=50, comment=b"x" * 700)
    assert count_frames(BytesIO(data), 100) == Image.open(BytesIO(data)).n_frames == 4


def test_counting_frames_stops_in_a_gif_of_endless_crumbs() -> None:
    crumbs = BytesIO(gif_of(0)[:-1] + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02" + b"\x01A" * 2_000_000)
    assert count_frames(crumbs, 100) == 1
    assert crumbs.tell() < 2 * MAX_STEPS + 100


def test_a_gif_that_is_a_zip_as_well_is_a_mismatch(tmp_path: Path) -> None:
    import zipfile

    archive = BytesIO(encoded(scene(), "gif"))
    archive.seek(0, 2)
    with zipfile.ZipFile(archive, "a") as both:
        both.writestr("page.html", "<script>")
        both.comment = b"a comment"
    assert zipfile.is_zipfile(BytesIO(archive.getvalue()))
    assert refusal(tmp_path, archive.getvalue(), "a.gif").code == "image_type_mismatch"


def test_the_four_bytes_of_a_zip_record_alone_are_no_archive(tmp_path: Path) -> None:
    assert check(tmp_path, encoded(scene(), "gif") + b"PK\x05\x06" + bytes(40), "a.gif").format == "gif"


def test_an_os2_bitmap_has_sixteen_bit_sizes() -> None:
    header = b"BM" + struct.pack("<IHHI", 100, 0, 0, 26) + struct.pack("<IHHHH", 12, 640, 480, 1, 24) + bytes(40)
    assert sniff(header) == "bmp"
    assert declared_size(BytesIO(header), "bmp") == (640, 480)


def test_a_header_scattered_over_endless_boxes_is_left_to_the_decoder(tmp_path: Path) -> None:
    brand = b"\x00\x00\x00\x14ftypheic\x00\x00\x00\x00heic"
    header = check(tmp_path, brand + b"\x00\x00\x00\x08free" * 500_000, "a.heic")
    assert (header.width, header.height) == (None, None)
    endless_jpeg = b"\xff\xd8\xff\xe0\x00\x02" + b"\x00" * 5_000_000
    assert check(tmp_path, endless_jpeg, "a.jpg").width is None


def test_the_budget_is_counted_in_reads_and_bytes() -> None:
    reader = BudgetReader(BytesIO(bytes(10 * MAX_READ_BYTES)))
    with pytest.raises(BudgetSpent):
        reader.read()
    for _ in range(MAX_READS - 1):
        assert reader.read(1) == b"\x00"
    with pytest.raises(BudgetSpent):
        reader.read(1)
    with pytest.raises(BudgetSpent):
        BudgetReader(BytesIO(bytes(10 * MAX_READ_BYTES))).read(MAX_READ_BYTES + 1)


@settings(max_examples=300, deadline=None)
@given(head=st.sampled_from([encoded(scene(20, 10), format)[:64] for format in FORMATS]), tail=st.binary(max_size=300))
def test_a_header_is_accepted_or_refused_whatever_follows(head: bytes, tail: bytes, tmp_path_factory: object) -> None:
    path = tmp_path_factory.getbasetemp() / "any"  # type: ignore[attr-defined]
    for data in (head + tail, tail + head, head[: len(tail)] + tail):
        path.write_bytes(data)
        try:
            assert check_header(path, "a").format in FORMATS
        except ImageRejected as refused:
            assert refused.code.startswith("image_")
