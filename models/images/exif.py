"""What a picture's EXIF says about the moment it was taken. Broken EXIF says nothing: the pixels may still be good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from re import compile as pattern

from PIL import ExifTags, Image

MAX_CAMERA_CHARACTERS = 100

_OFFSET = pattern(r"([+-])(\d\d):?(\d\d)")


@dataclass(frozen=True, slots=True)
class Capture:
    """orientation: 1 to 8 (EXIF 2.32, tag 0x0112). taken_at: UTC. camera: "Make Model"."""

    orientation: int = 1
    taken_at: datetime | None = None
    camera: str | None = None


def read_capture(picture: Image.Image) -> Capture:
    """Read after `picture.load()`: some decoders turn the pixels themselves and then drop the orientation."""
    try:
        exif = picture.getexif()
        detail = exif.get_ifd(ExifTags.IFD.Exif)
    except Exception:  # the parser meets hostile bytes and raises a dozen types; none of them concerns the pixels
        return Capture()
    orientation = exif.get(ExifTags.Base.Orientation)
    return Capture(
        orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1,
        _taken_at(
            _text(detail.get(ExifTags.Base.DateTimeOriginal)), _text(detail.get(ExifTags.Base.OffsetTimeOriginal))
        ),
        _camera(_text(exif.get(ExifTags.Base.Make)), _text(exif.get(ExifTags.Base.Model))),
    )


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
