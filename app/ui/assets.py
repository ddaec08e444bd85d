"""The page's own files, held in memory: a few hundred kilobytes that every visit asks for.

Their addresses carry the hash of them all, so that a browser may keep each for ever and a new version is never mixed
with an old one: ES modules import each other by relative address and so stay within one version.
"""

import gzip
import hashlib
import os
import re
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from posixpath import dirname, join, normpath

from app.errors import NotFound

STATIC = Path(__file__).parent / "static"
START = "app.js"
_IMPORT = re.compile(r"""^import[^"';]*["'](\.[^"']+)["']""", re.MULTILINE)
DRAFT = "draft"  # the version of files that may change at any time
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class Asset:
    """A file as it is sent. `packed` is its gzip form."""

    content: bytes
    packed: bytes
    type: str

    @property
    def text(self) -> str:
        return self.content.decode()


@dataclass(frozen=True)
class Assets:
    """All files by their path below static/, and the hash that their addresses carry."""

    files: dict[str, Asset]
    version: str

    def url(self, path: str) -> str:
        return f"/ui/{self.version}/{path}"

    def modules(self) -> list[str]:
        """The modules that every view needs: what app.js imports and what those import, to be fetched all at once."""
        found, waiting = {START}, [START]
        while waiting:
            module = waiting.pop()
            imported = {normpath(join(dirname(module), name)) for name in _IMPORT.findall(self.files[module].text)}
            waiting += imported - found
            found |= imported
        return [self.url(path) for path in sorted(found)]


def assets() -> Assets:
    """Read once a process; with ROOST_UI_RELOAD=1, for those who work on the page, anew each time under one address."""
    return Assets(_read(), DRAFT) if os.environ.get("ROOST_UI_RELOAD") == "1" else _kept()


@cache
def _kept() -> Assets:
    files = _read()
    whole = hashlib.sha256()
    for name, file in files.items():
        whole.update(name.encode() + b"\0" + file.content + b"\0")
    return Assets(files, whole.hexdigest()[:16])


def _read() -> dict[str, Asset]:
    paths = sorted(path for path in STATIC.rglob("*") if path.suffix in TYPES)
    return {path.relative_to(STATIC).as_posix(): asset(path) for path in paths}


def asset(path: Path) -> Asset:
    content = path.read_bytes()
    return Asset(content, gzip.compress(content, 6, mtime=0), TYPES[path.suffix])


@cache
def plotly() -> Asset:
    """Plotly's script out of its installed package: 4.8 MB, fetched only by views that plot."""
    found = find_spec("plotly")
    if found is None or found.origin is None:
        raise NotFound(
            "The package plotly is not installed, so there are no plots; pip install plotly.", code="no_plots"
        )
    return asset(Path(found.origin).parent / "package_data" / "plotly.min.js")
