"""Upload-Metadata: what a client says of a file before it sends it."""

import base64
import re
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from app.errors import Invalid
from app.images.uploads import ARCHIVES
from app.text import printable

Kind = Literal["file", "zip", "tar"]
ENDINGS: dict[str, Kind] = {
    ".zip": "zip",
    ".tar": "tar",
    ".tar.gz": "tar",
    ".tgz": "tar",
    ".tar.bz2": "tar",
    ".tbz2": "tar",
    ".tar.xz": "tar",
    ".txz": "tar",
}


@dataclass(frozen=True)
class Metadata:
    """`text` is the header itself, `sha256` the hash of the whole file where the client knows it."""

    text: str
    collection_id: UUID
    name: str
    kind: Kind
    sha256: str | None


def read(text: str) -> Metadata:
    """The header's meaning. Raises Invalid (upload_metadata_invalid) with what is wrong."""
    pairs = decoded(text)
    try:
        collection_id = UUID(pairs["collection"])
        name = printable(pairs["filename"])[:4096]
    except KeyError as error:
        raise _invalid(f"it lacks {error.args[0]}") from error
    except ValueError as error:
        raise _invalid("collection is no UUID") from error
    if not name:
        raise _invalid("filename is empty")
    sha256 = pairs.get("sha256", "").lower() or None
    if sha256 and not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise _invalid("sha256 is not 64 hexadecimal digits")
    return Metadata(text, collection_id, name, _kind(name, pairs.get("filetype", "")), sha256)


def decoded(text: str) -> dict[str, str]:
    """key base64,key base64,... -> key: text; a key may stand alone. Raises Invalid."""
    found: dict[str, str] = {}
    for pair in text.split(","):
        key, _, value = pair.strip(" \t").partition(" ")
        if not re.fullmatch(r"[!-+\--~]+", key) or key in found:  # printable ASCII without blank and comma
            raise _invalid(f"each key must be there once, of plain letters: {key[:40]!r}")
        try:
            found[key] = base64.b64decode(value, validate=True).decode()
        except ValueError as error:  # no base64, or no UTF-8
            raise _invalid(f"the value of {key[:40]} is no base64 of UTF-8 text") from error
    return found


def _kind(name: str, filetype: str) -> Kind:
    """What the type says, or else the name's ending; whatever is no archive is a picture, or will be refused as one."""
    plain = filetype.split(";")[0].strip().lower()
    if plain in ARCHIVES:
        return "zip" if ARCHIVES[plain] == "zip" else "tar"
    if plain.startswith("image/"):
        return "file"
    return next((kind for ending, kind in ENDINGS.items() if name.lower().endswith(ending)), "file")


def _invalid(what: str) -> Invalid:
    example = '"filename <base64>,collection <base64 of its id>"'
    return Invalid(f"Upload-Metadata can't be used: {what}. Send {example}.", code="upload_metadata_invalid")
