"""Camera and settings out of EXIF: what is shown of it, and that nothing else ever is."""

import json
import math
from io import BytesIO
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base
from PIL.TiffImagePlugin import IFDRational

from models.images import normalise
from models.images.exif import MAX_TEXT_CHARACTERS, read_shot
from tests.models.images.scene import encoded, scene

RANGES = {
    "exposure_s": (0, 86_400), "f_number": (0, 1_000), "iso": (1, 65_534), "focal_length_mm": (0, 20_000),
    "focal_length_35mm": (1, 20_000),
}  # fmt: skip
SHOWN = {
    Base.Make, Base.Model, Base.LensModel, Base.ExposureTime, Base.FNumber, Base.ISOSpeedRatings, Base.FocalLength,
    Base.FocalLengthIn35mmFilm, Base.Flash,
}  # fmt: skip
SECRET = "SECRET"


def sound(shot: dict[str, Any]) -> bool:
    """Nothing but what the API names, in the form that it promises."""
    for name, value in shot.items():
        if name in ("make", "model", "lens"):
            assert isinstance(value, str) and 0 < len(value) <= MAX_TEXT_CHARACTERS and value.isprintable()
        elif name == "flash":
            assert isinstance(value, bool)
        else:
            least, most = RANGES[name]
            assert least <= value <= most and math.isfinite(value) and value > 0
            assert isinstance(value, int) == (name in ("iso", "focal_length_35mm"))
    return json.loads(json.dumps(shot, allow_nan=False)) == shot


def photo(**detail: Any) -> Image.Exif:
    exif = Image.Exif()
    exif[Base.Make], exif[Base.Model] = "NIKON CORPORATION", "NIKON Z 8"
    exif.get_ifd(IFD.Exif).update({Base[name]: value for name, value in detail.items()})
    return exif


@pytest.mark.parametrize("format", ["jpeg", "png", "webp", "heic", "avif"])
def test_a_photograph_in_every_format_that_has_exif(format: str) -> None:
    exif = photo(
        LensModel="NIKKOR Z 180-600mm", ExposureTime=IFDRational(1, 2000), FNumber=IFDRational(63, 10),
        ISOSpeedRatings=900, FocalLength=IFDRational(600), FocalLengthIn35mmFilm=600, Flash=0x19,
    )  # fmt: skip
    assert normalise(encoded(scene(64, 48), format, exif=exif), "").shot == {
        "make": "NIKON CORPORATION", "model": "NIKON Z 8", "lens": "NIKKOR Z 180-600mm", "exposure_s": 0.0005,
        "f_number": 6.3, "iso": 900, "focal_length_mm": 600.0, "focal_length_35mm": 600, "flash": True,
    }  # fmt: skip


def test_a_picture_without_exif_has_none() -> None:
    assert normalise(encoded(scene(64, 48), "jpeg"), "").shot is None


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("ExposureTime", IFDRational(0, 1)), ("ExposureTime", IFDRational(1, 0)), ("ExposureTime", 90_000.0),
        ("ExposureTime", -0.5), ("ExposureTime", "1/250"), ("FNumber", 0), ("FNumber", float("nan")),
        ("FNumber", float("inf")), ("FNumber", 10**400), ("ISOSpeedRatings", 0), ("ISOSpeedRatings", 65_535),
        ("ISOSpeedRatings", ()), ("ISOSpeedRatings", b"100"), ("FocalLength", IFDRational(0, 0)),
        ("FocalLengthIn35mmFilm", 0), ("Flash", -1), ("Flash", 0x80), ("Flash", "fired"), ("Flash", None),
        ("LensModel", "\x00 \t"), ("LensModel", 7), ("LensModel", b"\xff\xfe\x00"[2:]),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_left_out(tag: str, value: object) -> None:
    assert read_shot({}, {Base[tag]: value}) == {}


@pytest.mark.parametrize(
    ("tag", "value", "expected"),
    [
        ("ISOSpeedRatings", (400, 800), {"iso": 400}),
        ("ExposureTime", IFDRational(1, 3), {"exposure_s": 0.333333}),
        ("ExposureTime", 30, {"exposure_s": 30.0}),
        ("Flash", 0x20, {"flash": False}),
        ("LensModel", " a\r\nSet-Cookie:\x1b[31m\x00", {"lens": "a Set-Cookie: [31m"}),
        ("LensModel", b"caf\xc3\xa9 \xff", {"lens": "café \ufffd"}),
        ("LensModel", "x" * 5000, {"lens": "x" * MAX_TEXT_CHARACTERS}),
        ("LensModel", "\ud800wide\u202e", {"lens": "wide"}),
    ],
)
def test_what_is_cleaned(tag: str, value: object, expected: dict[str, Any]) -> None:
    assert read_shot({}, {Base[tag]: value}) == expected


texts = st.text(max_size=300) | st.binary(max_size=300)
numbers = st.integers() | st.floats() | st.builds(IFDRational, st.integers(), st.integers())
plain = st.none() | texts | numbers
anything = plain | st.tuples(plain) | st.tuples(plain, plain) | st.lists(plain, max_size=2)
directory = st.dictionaries(st.sampled_from(sorted(SHOWN)), anything)


@settings(max_examples=300, deadline=None)
@given(directory, directory)
def test_whatever_the_tags_hold(first: dict[int, object], detail: dict[int, object]) -> None:
    assert sound(read_shot(first, detail))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_other_tag_shows(data: st.DataObject) -> None:
    others = st.sampled_from(sorted(set(Base) - SHOWN)) | st.integers(0, 65_535).filter(lambda tag: tag not in SHOWN)
    secret = st.just(SECRET) | st.just(SECRET.encode()) | st.just(4711.5) | st.just((SECRET, 4711.5))
    hidden = st.dictionaries(others, secret, max_size=30)
    assert read_shot(data.draw(hidden), data.draw(hidden)) == {}


def test_position_owner_serial_numbers_and_comments_stay_in_the_original() -> None:
    exif = photo(
        BodySerialNumber=SECRET, LensSerialNumber=SECRET, CameraOwnerName=SECRET, UserComment=SECRET.encode(),
        MakerNote=SECRET.encode(), ImageUniqueID=SECRET, LensMake=SECRET, FNumber=IFDRational(4),
    )  # fmt: skip
    for tag in (Base.Artist, Base.Copyright, Base.ImageDescription, Base.Software, Base.HostComputer):
        exif[tag] = SECRET
    exif.get_ifd(IFD.GPSInfo)[GPS.GPSLatitude] = (47.0, 22.0, 11.0)
    data = encoded(scene(64, 48), "jpeg", exif=exif)
    assert data.count(SECRET.encode()) == 12 and Image.open(BytesIO(data)).getexif().get_ifd(IFD.GPSInfo)
    assert normalise(data, "").shot == {"make": "NIKON CORPORATION", "model": "NIKON Z 8", "f_number": 4.0}


@settings(max_examples=150, deadline=None)
@given(st.integers(6, 400), st.binary(min_size=1, max_size=12))
@example(10, b"\xff" * 12)
def test_exif_with_bytes_overwritten(at: int, noise: bytes) -> None:
    whole = photo(ExposureTime=IFDRational(1, 250), LensModel="wide", ISOSpeedRatings=100, Flash=1).tobytes()
    broken = whole[:at] + noise + whole[at + len(noise) :]
    shot = normalise(encoded(scene(64, 48), "jpeg", exif=broken), "").shot
    assert shot is None or sound(shot)
