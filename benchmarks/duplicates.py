"""Near-duplicates with known answers: Roost beside imagededup's own methods.

python -m benchmarks.duplicates ../shared/data imagededup ten pdq edits

Every method gets the same files. A pair counts as found when both pictures end up in one group.
"""

import argparse
import logging
import random
import re
import tempfile
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from app.settings import Settings
from models import registry
from models.duplicates import find as near_duplicates
from models.duplicates.groups import connected
from models.duplicates.hashes import of_copy
from models.embedding import embed
from models.engines import open_engine
from models.images import ImageRejected
from models.images.header import check_header
from models.images.normalise import normalise
from tests.fixtures.scenes import captioned, cropped

Pair = tuple[int, int]
Found = tuple[set[Pair], float]  # pairs, and seconds
PHOTOGRAPHS = 15  # of each gallery that are edited
GALLERIES = {"birds": "birds/images/*/*.jpg", "lands": "lands/*/*.jpg", "pets": "pets/images/*/*.jpg"}
# Copies that were in the galleries already: seen by eye among all that any similarity from 30% on finds.
NATURAL = [
    {"Laysan_Albatross_0065_809", "Laysan_Albatross_0096_673"},
    {"Least_Auklet_0008_795071", "Least_Auklet_0063_795134"},
    {"Least_Auklet_0014_1901", "Least_Auklet_0034_795096"},
    {"Bobolink_0092_10026", "Bobolink_0114_10627"},
    {"Parakeet_Auklet_0010_795995", "Parakeet_Auklet_0070_795998"},
    {"Parakeet_Auklet_0020_795947", "Parakeet_Auklet_0064_795954"},
    {"Crested_Auklet_0036_794905", "Crested_Auklet_0059_794929", "Crested_Auklet_0057_794932"},
    {"f068", "f069"},
    {"Abyssinian_11", "Abyssinian_177"},
    {"Abyssinian_122", "Abyssinian_172"},
]


class Set:
    """Files with the name of each one's group."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder / name
        self.folder.mkdir()
        self.files: list[Path] = []
        self.groups: list[str] = []

    def add(self, picture: Path | Image.Image, group: str, quality: int = 88) -> None:
        """A file as it is, under the name of what it truly is, or a picture as JPEG."""
        target = self.folder / f"{len(self.files):05}.jpg"
        if isinstance(picture, Path):
            try:
                true_kind = check_header(picture, picture.stem).format
            except ImageRejected:
                return
            target = target.with_suffix(f".{true_kind}")
            target.write_bytes(picture.read_bytes())
        else:
            picture.convert("RGB").save(target, quality=quality)
        self.files.append(target)
        self.groups.append(group)

    @property
    def truth(self) -> set[Pair]:
        return {
            pair for pair in combinations(range(len(self.files)), 2) if self.groups[pair[0]] == self.groups[pair[1]]
        }


def imagededup_files(data: Path, made: Set) -> None:
    """The pictures that imagededup is tested with, as published."""
    home = data / "neardup/imagededup"
    for path in sorted(home.rglob("*.*")):
        if path.is_file() and "evaluation" not in str(path):
            number = re.match(r"ukbench(\d+)", path.name)
            made.add(path, number.group(1) if number else "00120" if "alpha" in path.name else path.name)


def ten(data: Path, made: Set) -> None:
    """Its ten base pictures with the three copies its ground truth names; it publishes those of one picture only."""
    for path in sorted((data / "neardup/imagededup/base_images").glob("*.jpg")):
        picture = Image.open(path)
        made.add(path, path.stem)
        made.add(ImageOps.mirror(picture), path.stem)
        made.add(picture.resize((300, 300), Image.Resampling.LANCZOS), path.stem)
        made.add(picture.rotate(25, Image.Resampling.BICUBIC), path.stem)


def pdq(data: Path, made: Set) -> None:
    """One bridge in 30 versions, among ten other pictures."""
    for path in sorted((data / "neardup/pdq").rglob("*.*")):
        made.add(path, "bridge")
    for path in sorted((data / "neardup/imagededup/base_images").glob("*.jpg")):
        made.add(path, path.stem)


def edits(data: Path, made: Set) -> None:
    """Fifteen photographs of each of three galleries in twelve versions, among all their others."""
    chosen = random.Random(0)
    for pattern in GALLERIES.values():
        paths = sorted(data.glob(pattern))
        edited = set(chosen.sample(paths, PHOTOGRAPHS))
        for path in paths:
            group = next((min(names) for names in NATURAL if path.stem in names), path.stem)
            made.add(path, group)
            if path in edited:
                for quality, copy in _versions(Image.open(path).convert("RGB")):
                    made.add(copy, group, quality)


def _versions(picture: Image.Image) -> list[tuple[int, Image.Image]]:
    width, height = picture.size
    copies = [
        ImageOps.mirror(picture),
        picture.transpose(Image.Transpose.ROTATE_90),
        picture.rotate(25, Image.Resampling.BICUBIC),
        picture.resize((width // 2, height // 2), Image.Resampling.LANCZOS),
        ImageOps.grayscale(picture),
        ImageEnhance.Brightness(picture).enhance(1.4),
        picture.filter(ImageFilter.GaussianBlur(width / 150)),
        cropped(picture, 0.8),
        cropped(picture, 0.6),
        captioned(picture),
        ImageOps.expand(picture, width // 20, "white"),
    ]
    return [(20, picture), *((88, copy) for copy in copies)]


def roost(made: Set, similarities: list[float]) -> list[Found]:
    """At each similarity. Seconds are of hashing and searching; decoding and embedding are done for other reasons."""
    engine = open_engine(registry.load("encoders", "efficientnet-lite0"), device="cpu", cache=Settings().encoder_cache)
    copies = [made.folder / f"{path.stem}.copy" for path in made.files]
    for path, copy in zip(made.files, copies, strict=True):
        copy.write_bytes(normalise(path.read_bytes(), path.name).jpeg)
    vectors = np.concatenate(list(embed(copies, engine)))
    started = time.perf_counter()
    hashed = [of_copy(copy) for copy in copies]
    digests, hashes = [digest for digest, _ in hashed], np.array([value for _, value in hashed])
    pairs = near_duplicates.find(copies.__getitem__, digests, hashes, vectors)
    seconds = time.perf_counter() - started
    rows = []
    for similarity in similarities:
        alike = pairs.similarity >= similarity
        rows.append((_grouped(pairs.first[alike], pairs.second[alike]), seconds))
    started = time.perf_counter()
    first, second = np.nonzero(np.triu(vectors @ vectors.T >= 0.9, 1))
    return [*rows, (_grouped(first, second), time.perf_counter() - started)]


def imagededup(made: Set, method: str) -> Found:
    """A hash of imagededup at its default of 10 bits."""
    from imagededup import methods

    hasher = getattr(methods, method)(verbose=False)
    started = time.perf_counter()
    encodings = {path.name: hasher.encode_image(image_file=str(path)) for path in made.files}
    encodings = {name: code for name, code in encodings.items() if code is not None}
    found = hasher.find_duplicates(encoding_map=encodings, num_dist_workers=0)
    seconds = time.perf_counter() - started
    row = {path.name: number for number, path in enumerate(made.files)}
    pairs = np.array([(row[a], row[b]) for a, others in found.items() for b in others], np.int64).reshape(-1, 2)
    return _grouped(pairs[:, 0], pairs[:, 1]), seconds


def _grouped(first: np.ndarray, second: np.ndarray) -> set[Pair]:
    """Every pair within the groups that these pairs connect."""
    if not len(first):
        return set()
    groups = connected(first.astype(np.int64), second.astype(np.int64), np.ones(len(first)))
    bounds = zip(groups.starts[:-1], groups.starts[1:], strict=True)
    return {pair for start, end in bounds for pair in combinations(groups.members[start:end].tolist(), 2)}


def _row(name: str, found: Found, truth: set[Pair]) -> None:
    pairs, seconds = found
    right = len(pairs & truth)
    precision = right / len(pairs) if pairs else 1.0
    recall = right / len(truth)
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    print(f"| {name} | {precision:.3f} | {recall:.3f} | {f1:.3f} | {seconds:.1f} |", flush=True)


SETS: dict[str, Callable[[Path, Set], None]] = {
    "imagededup": imagededup_files,
    "ten": ten,
    "pdq": pdq,
    "edits": edits,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("sets", nargs="+", choices=SETS)
    chosen = parser.parse_args()
    logging.disable(logging.INFO)
    for name in chosen.sets:
        with tempfile.TemporaryDirectory(prefix="roost-duplicates-") as folder:
            made = Set(name, Path(folder))
            SETS[name](chosen.data, made)
            truth = made.truth
            print(f"\n{name}: {len(made.files)} files, {len(truth)} pairs of copies\n")
            print("| method | precision | recall | F1 | seconds |\n| --- | --- | --- | --- | --- |")
            similarities = [0.5, 0.3, 0.7, 0.9]
            *ours, cosine = roost(made, similarities)
            for similarity, found in zip(similarities, ours, strict=True):
                _row(f"Roost, {similarity:.0%}", found, truth)
            _row("cosine of .9 alone", cosine, truth)
            for method in ("PHash", "DHash", "WHash", "AHash"):
                _row(f"imagededup {method}", imagededup(made, method), truth)


if __name__ == "__main__":
    main()
