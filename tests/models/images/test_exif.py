"""The moment and the camera, and that nothing else of the metadata gets into the working copy."""

from datetime import UTC, datetime
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, TiffImagePlugin

from models.images import WorkingCopy, halved, normalise, render
from models.images.exif import MAX_CAMERA_CHARACTERS
from tests.models.images.scene import encoded, scene


def taken(date: str | None = None, offset: str | None = None, make: str = "", model: str = "") -> Image.Exif:
    exif = Image.Exif()
    detail = exif.get_ifd(ExifTags.IFD.Exif)
    if date is not None:
        detail[ExifTags.Base.DateTimeOriginal] = date
    if offset is not None:
        detail[ExifTags.Base.OffsetTimeOriginal] = offset
    if make:
        exif[ExifTags.Base.Make] = make
    if model:
        exif[ExifTags.Base.Model] = model
    return exif


def copy_of(exif: Image.Exif | bytes, format: str = "jpeg") -> WorkingCopy:
    return normalise(encoded(scene(64, 48), format, exif=exif), "")


@pytest.mark.parametrize("format", ["jpeg", "png", "webp", "heic", "avif"])
def test_moment_and_camera_of_every_format_that_has_them(format: str) -> None:
    copy = copy_of(taken("2026:05:17 06:30:00", "+02:00", "Canon", "EOS 5D"), format)
    assert copy.taken_at == datetime(2026, 5, 17, 4, 30, tzinfo=UTC)
    assert copy.camera == "Canon EOS 5D"


def test_moment_and_camera_of_a_tiff() -> None:
    detail = {ExifTags.Base.DateTimeOriginal: "2026:05:17 06:30:00", ExifTags.Base.OffsetTimeOriginal: "+02:00"}
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[ExifTags.Base.Make], tags[ExifTags.Base.Model], tags[ExifTags.IFD.Exif] = "Canon", "EOS 5D", detail
    copy = normalise(encoded(scene(64, 48), "tiff", tiffinfo=tags), "a.tif")
    assert (copy.taken_at, copy.camera) == (datetime(2026, 5, 17, 4, 30, tzinfo=UTC), "Canon EOS 5D")


@pytest.mark.parametrize(
    ("date", "offset", "expected"),
    [
        ("2026:05:17 06:30:00", None, datetime(2026, 5, 17, 6, 30, tzinfo=UTC)),
        ("2026:05:17 06:30:00", "-05:30", datetime(2026, 5, 17, 12, 0, tzinfo=UTC)),
        ("2026:05:17 06:30:00", "rubbish", datetime(2026, 5, 17, 6, 30, tzinfo=UTC)),
        ("2026:05:17 06:30:00", "+99:00", None),
        ("0001:01:01 00:00:00", "+10:00", None),
        ("0000:00:00 00:00:00", None, None),
        ("2026:13:40 06:30:00", None, None),
        ("yesterday", None, None),
        ("", None, None),
        (None, "+02:00", None),
    ],
)
def test_dates(date: str | None, offset: str | None, expected: datetime | None) -> None:
    assert copy_of(taken(date, offset)).taken_at == expected


@pytest.mark.parametrize(
    ("make", "model", "expected"),
    [
        ("Canon", "Canon EOS 5D", "Canon EOS 5D"),
        ("NIKON CORPORATION", "NIKON D70", "NIKON CORPORATION NIKON D70"),
        ("", "DMC-FZ50 ", "DMC-FZ50"),
        ("RECONYX\x00\x00", "", "RECONYX"),
        ("", "", None),
        ("a\r\nSet-Cookie:", "\x1b[31m b", "a Set-Cookie: [31m b"),
        ("", "x" * 5000, "x" * MAX_CAMERA_CHARACTERS),
    ],
)
def test_cameras(make: str, model: str, expected: str | None) -> None:
    assert copy_of(taken(make=make, model=model)).camera == expected


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_broken_exif_leaves_the_pixels_alone(noise: bytes) -> None:
    whole = taken("2026:05:17 06:30:00", "+02:00", "Canon", "EOS 5D").tobytes()
    for exif in (noise, b"Exif\x00\x00MM\x00*" + noise, whole[:40] + noise):
        assert copy_of(exif).jpeg


def test_no_position_and_no_other_metadata_in_the_copies() -> None:
    exif = taken("2026:05:17 06:30:00", make="Canon")
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (47.0, 22.0, 11.0)
    exif[ExifTags.Base.ImageDescription] = "secret garden"
    data = encoded(scene(), "jpeg", exif=exif, comment=b"secret comment", xmp=b"<x:xmpmeta>secret</x:xmpmeta>")
    assert Image.open(BytesIO(data)).getexif().get_ifd(ExifTags.IFD.GPSInfo)
    working = normalise(data, "a.jpg").jpeg
    for copy in (working, halved(working), render(data, 1024)):
        shown = Image.open(BytesIO(copy))
        assert not shown.getexif() and set(shown.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert b"secret" not in copy and b"Exif" not in copy and b"Canon" not in copy
