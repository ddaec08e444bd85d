"""Names of files and folders that every system takes, and none twice."""

import unicodedata
from collections.abc import Iterable

FORBIDDEN = frozenset('<>:"/\\|?*')
RESERVED = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{digit}" for port in ("com", "lpt") for digit in range(1, 10))}
)
MOST_BYTES = 150  # of UTF-8, so that a folder and a file together stay within what any system takes


def safe_name(text: str, instead: str = "unnamed") -> str:
    """The text as a name: no separators, control characters, or ends and words that Windows does not take."""
    kept = "".join("_" if c in FORBIDDEN or unicodedata.category(c)[0] == "C" else c for c in text)
    name = _trimmed(unicodedata.normalize("NFC", kept)) or instead
    if name.partition(".")[0].strip().lower() in RESERVED:
        name = f"_{name}"
    return _trimmed(_cut(name))


def last_part(path: str) -> str:
    """wren/0012.jpg -> 0012.jpg"""
    return path.rstrip("/").rpartition("/")[2]


class Unique:
    """Gives every name once, also where capitals don't count; a second one gets a number before its extension."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._seen = {_same(name) for name in taken}

    def __call__(self, name: str) -> str:
        stem, dot, suffix = name.rpartition(".") if "." in name.strip(".") else (name, "", "")
        tried, count = name, 1
        while _same(tried) in self._seen:
            count += 1
            tried = f"{stem}-{count}{dot}{suffix}"
        self._seen.add(_same(tried))
        return tried


def _same(name: str) -> str:
    """What file systems that ignore capitals and kinds of accents compare."""
    return unicodedata.normalize("NFKC", name.casefold())


def _trimmed(text: str) -> str:
    """Without blanks and full stops at the ends, except for one before an extension that is all there is."""
    while (shorter := text.strip().rstrip(".")) != text:
        text = shorter
    return text if text.strip(".") else ""


def _cut(text: str) -> str:
    """At most MOST_BYTES, cut before the extension."""
    stem, dot, suffix = text.rpartition(".")
    if not stem or len(suffix.encode()) > 10:
        stem, dot, suffix = text, "", ""
    room = MOST_BYTES - len((dot + suffix).encode())
    return stem.encode()[:room].decode("utf-8", "ignore") + dot + suffix
