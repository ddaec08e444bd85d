"""What a picture's EXIF says about the moment it was taken. Broken EXIF says nothing: the pixels may still be good.

Tags are named one by one here, so that where, by whom and for whom a picture was taken stays in the original.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from numbers import Real
from re import compile as pattern

from PIL import Image
from PIL.ExifTags import IFD, Base

MAX_CAMERA_CHARACTERS = 100
MAX_TEXT_CHARACTERS = 100

Shot = dict[str, str | float | bool]

_FIRST_TAGS = (Base.Orientation, Base.Make, Base.Model)
_DETAIL_TAGS = {
    "exposure_s": (Base.ExposureTime, 1e-7, 86_400.0),
    "f_number": (Base.FNumber, 0.1, 1_000.0),
    "iso": (Base.ISOSpeedRatings, 1.0, 65_534.0),  # 65,535 says: more than fits into this tag
    "focal_length_mm": (Base.FocalLength, 0.1, 20_000.0),
    "focal_length_35mm": (Base.FocalLengthIn35mmFilm, 1.0, 20_000.0),
}  # name: tag, and the least and the most that there are lenses and shutters for; 0 is "unknown" in all of them
_WHOLE = ("iso", "focal_length_35mm")
_MAX_FLASH = 0x7F  # bit 0: fired; 1 and 2: return, 3 and 4: mode, 5: no flash there, 6: against red eyes
_OFFSET = pattern(r"([+-])(\d\d):?(\d\d)")


@dataclass(frozen=True, slots=True)
class Capture:
    """orientation: 1 to 8 (EXIF 2.32, tag 0x0112). taken_at: UTC. camera: "Make Model". shot: see read_shot."""

    orientation: int = 1
    taken_at: datetime | None = None
    camera: str | None = None
    shot: Shot | None = None


def read_capture(picture: Image.Image) -> Capture:
    """Read after `picture.load()`: some decoders turn the pixels themselves and then drop the orientation."""
    try:
        whole = picture.getexif()
        detail = whole.get_ifd(IFD.Exif)
        first = {tag: whole.get(tag) for tag in _FIRST_TAGS}
    except Exception:  # the parser meets hostile bytes and raises a dozen types; none of them concerns the pixels
        return Capture()
    orientation = first[Base.Orientation]
    return Capture(
        orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1,
        _taken_at(_text(detail.get(Base.DateTimeOriginal)), _text(detail.get(Base.OffsetTimeOriginal))),
        _camera(_text(first[Base.Make]), _text(first[Base.Model])),
        read_shot(first, detail) or None,
    )


def read_shot(first: Mapping[int, object], detail: Mapping[int, object]) -> Shot:
    """Camera and settings by the tags of the first and of the Exif directory (EXIF 2.32, 4.6.4 and 4.6.5).

    make, model, lens: cleaned text. exposure_s in seconds, f_number, iso, focal_length_mm and focal_length_35mm in
    millimetres: finite and plausible. flash: whether it fired. What is missing or makes no sense is left out.
    """
    texts = {"make": first.get(Base.Make), "model": first.get(Base.Model), "lens": detail.get(Base.LensModel)}
    shot: Shot = {name: text for name, value in texts.items() if (text := _text(value)[:MAX_TEXT_CHARACTERS].strip())}
    for name, (tag, least, most) in _DETAIL_TAGS.items():
        number = _number(detail.get(tag))
        if number is not None and least <= number <= most:
            shot[name] = round(number) if name in _WHOLE else float(f"{number:.6g}")
    flash = detail.get(Base.Flash)
    if isinstance(flash, int) and 0 <= flash <= _MAX_FLASH:
        shot["flash"] = bool(flash & 1)
    return shot


def _number(value: object) -> float | None:
    """The first if there are several. A rational with the denominator 0 is not finite, so nothing."""
    if isinstance(value, tuple) and value:
        value = value[0]
    if not isinstance(value, Real):
        return None
    try:
        number = float(value)
    except (ArithmeticError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _taken_at(text: str, offset: str) -> datetime | None:
    """A camera that names no offset is taken to show UTC: wrong by hours, but right in order within a gallery."""
    try:
        local = datetime.strptime(text[:19], "%Y:%m:%d %H:%M:%S")
        return local.replace(tzinfo=_zone(offset)).astimezone(UTC)
    except (ValueError, OverflowError):  # no date, "0000:00:00", an offset of 99 hours, the year 1 moved back
        return None


def _zone(offset: str) -> timezone:
    found = _OFFSET.fullmatch(offset)
    if found is None:
        return UTC
    minutes = int(found[2]) * 60 + int(found[3])
    return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))


def _camera(make: str, model: str) -> str | None:
    """ "Canon" and "Canon EOS 5D" are one camera, not "Canon Canon EOS 5D"."""
    words = model if model.lower().startswith(make.lower()) else f"{make} {model}"
    return words[:MAX_CAMERA_CHARACTERS].strip() or None


def _text(value: object) -> str:
    """Printable characters on one line; "" for anything that is no text."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return ""
    printable = (character if character.isprintable() else " " for character in value[:1000])
    return " ".join("".join(printable).split())
