"""Vectors of a folder's pictures, kept between commands, so that a second search reads only what is new."""

import hashlib
import os
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from app.folder.gallery import Gallery
from app.settings import Settings


@dataclass
class Remembered:
    """By name: what the file was when it was embedded, and its vector. Safe to lose."""

    path: Path
    known: dict[str, tuple[str, np.ndarray]] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path, encoder_sha256: str) -> "Remembered":
        digest = hashlib.sha256(os.fsencode(folder.resolve()) + encoder_sha256.encode()).hexdigest()[:32]
        made = cls(Settings().cache / "folders" / f"{digest}.npz")
        try:
            with np.load(made.path, allow_pickle=False) as stored:
                names, stamps, vectors = (stored[key] for key in ("names", "stamps", "vectors"))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return made  # none yet, or damaged: embed again
        made.known = {str(n): (str(s), v) for n, s, v in zip(names, stamps, vectors, strict=True)}
        return made

    def vector(self, folder: Path, path: Path) -> np.ndarray | None:
        """The vector of an unchanged file."""
        stamp, vector = self.known.get(path.relative_to(folder).as_posix(), ("", None))
        return vector if stamp == _stamp(path) else None

    def keep(self, folder: Path, gallery: Gallery) -> None:
        """Add what was embedded now, forget what is gone, and write it all in one rename."""
        for name, vector in zip(gallery.names, gallery.vectors, strict=True):
            self.known[name] = (_stamp(folder / name), vector)
        alive = {name: entry for name, entry in self.known.items() if (folder / name).exists()}
        if not alive:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self.path.parent, suffix=".npz", delete=False) as file:
            stamps, vectors = zip(*alive.values(), strict=True)
            np.savez(file, names=np.array(list(alive)), stamps=np.array(stamps), vectors=np.stack(vectors))
        os.replace(file.name, self.path)


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size}-{status.st_mtime_ns}"
