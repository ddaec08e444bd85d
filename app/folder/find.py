"""roost search: the neighbours of one picture in a folder."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.folder import gallery as galleries
from app.folder.remembered import Remembered
from app.folder.scan import NothingToDo, pictures
from app.folder.stages import Stages
from models.encoders.base import Encoder


@dataclass(frozen=True)
class Hit:
    name: str
    score: float


def find(folder: Path, picture: Path, k: int, encoder: Encoder, device: str, stages: Stages) -> list[Hit]:
    """The k most similar pictures, best first, without the picture itself."""
    files = pictures(folder, folder / "roost-out")
    remembered = Remembered.of(folder, "" if encoder.unavailable() else encoder.sha256())
    unknown = [path for path in files if remembered.vector(folder, path) is None]
    with tempfile.TemporaryDirectory(prefix="roost-") as scratch:
        if unknown:
            new = galleries.read(folder, unknown, Path(scratch, "new"), encoder, device, stages)
            remembered.keep(folder, new)
        query = _query(folder, picture, remembered, Path(scratch, "query"), encoder, device)
    known = [(path, vector) for path in files if (vector := remembered.vector(folder, path)) is not None]
    known = [(path, vector) for path, vector in known if path != picture.resolve()]
    if not known:
        raise NothingToDo(f"{folder} has no other readable picture.")
    scores = np.stack([vector for _, vector in known]) @ query
    best = np.argsort(-scores, kind="stable")[:k]
    return [Hit(known[i][0].relative_to(folder).as_posix(), round(float(scores[i]), 6)) for i in best]


def _query(
    folder: Path, picture: Path, remembered: Remembered, scratch: Path, encoder: Encoder, device: str
) -> np.ndarray:
    picture = picture.resolve()
    if picture.is_relative_to(folder) and (vector := remembered.vector(folder, picture)) is not None:
        return vector
    from rich.console import Console

    alone = galleries.read(picture.parent, [picture], scratch, encoder, device, Stages(Console(quiet=True)))
    if alone.rejected:
        raise NothingToDo(f"{picture.name}: {alone.rejected[0].detail}")
    vector = alone.vectors[0]
    return np.asarray(vector)
