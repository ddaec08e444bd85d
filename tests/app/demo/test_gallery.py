"""The sample gallery is the same every time, and its blemishes are what the truth says they are."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from app.demo.birds import KINDS
from app.demo.gallery import GalleryTruth, make_gallery
from app.demo.pictures import LEAST, Shares, pictures, shares

PER_KIND = 3


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, GalleryTruth]:
    folder = tmp_path_factory.mktemp("gallery")
    return folder, make_gallery(folder, seed=3, per_kind=PER_KIND)


def hashes(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.rglob("*") if path.is_file()}  # fmt: skip


def test_the_same_seed_gives_the_same_bytes_however_many_processes_draw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.demo.pictures._ALONE", 0)  # let a second process start for a few pictures, too
    alone = make_gallery(tmp_path / "alone", seed=1, per_kind=1, processes=1)
    together = make_gallery(tmp_path / "together", seed=1, per_kind=1, processes=2)
    assert alone == together
    assert hashes(tmp_path / "alone") == hashes(tmp_path / "together")


def test_another_seed_gives_other_pictures(gallery: tuple[Path, GalleryTruth], tmp_path: Path) -> None:
    make_gallery(tmp_path, seed=4, per_kind=1)
    first, other = hashes(gallery[0]), hashes(tmp_path)
    assert not set(first.values()) & set(other.values())


def test_the_truth_names_every_file_and_counts_them(gallery: tuple[Path, GalleryTruth]) -> None:
    folder, truth = gallery
    assert sorted(hashes(folder)) == list(truth.files)
    assert all(re.fullmatch(r"[a-z]+/\d{4}\.jpg", name) for name in truth.files)
    assert set(truth.files) == set(truth.kinds) | set(truth.outliers) | {truth.corrupt}
    own = set(truth.kinds) - set(truth.near_duplicates) - set(truth.duplicates)
    for kind in KINDS:
        assert sum(truth.kinds[name] == kind.name for name in own) == PER_KIND
    assert len(truth.near_duplicates) == 6
    assert len(truth.outliers) == 6


def test_exactly_the_corrupt_file_cannot_be_read(gallery: tuple[Path, GalleryTruth]) -> None:
    folder, truth = gallery
    broken = []
    for name in truth.files:
        try:
            Image.open(folder / name).load()
        except OSError:
            broken.append(name)
    assert broken == [truth.corrupt]


def test_exactly_one_file_is_an_exact_duplicate(gallery: tuple[Path, GalleryTruth]) -> None:
    folder, truth = gallery
    found = hashes(folder)
    ((copy, original),) = truth.duplicates.items()
    assert found[copy] == found[original]
    assert len(set(found.values())) == len(found) - 1


def test_a_near_duplicate_looks_like_its_original_and_like_no_other(gallery: tuple[Path, GalleryTruth]) -> None:
    folder, truth = gallery
    names = [name for name in truth.kinds if name not in truth.near_duplicates and name not in truth.duplicates]
    known = np.stack([signature(folder / name) for name in names])
    for copy, original in truth.near_duplicates.items():
        likeness = known @ signature(folder / copy)
        assert names[int(likeness.argmax())] == original
        assert likeness.max() > 0.8
        assert copy.split("/")[0] == original.split("/")[0]


def signature(path: Path) -> np.ndarray:
    """(1024,) grey, centred, of unit length."""
    pixels = np.asarray(Image.open(path).convert("L").resize((32, 32)), dtype=np.float64).ravel()
    pixels -= pixels.mean()
    return pixels / np.linalg.norm(pixels)


def test_some_pictures_carry_a_date_and_a_camera(gallery: tuple[Path, GalleryTruth]) -> None:
    folder, truth = gallery
    dated = 0
    for name in truth.kinds:
        exif = Image.open(folder / name).getexif()
        if exif:
            assert exif[ExifTags.Base.Make] and exif[ExifTags.Base.Model]
            taken = exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal]
            assert re.fullmatch(r"2026:0[3-6]:\d\d \d\d:\d\d:00", taken)
            dated += 1
    assert 0 < dated < len(truth.kinds)


def test_pictures_differ_in_size_and_some_stand_upright(gallery: tuple[Path, GalleryTruth]) -> None:
    folder, truth = gallery
    sizes = {Image.open(folder / name).size for name in truth.kinds}
    assert len(sizes) > 4
    assert any(height > width for width, height in sizes)


def test_progress_counts_every_drawn_picture(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    make_gallery(tmp_path, per_kind=1, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 14) for done in range(1, 15)]


def test_no_gallery_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="per_kind"):
        make_gallery(tmp_path, per_kind=0)


@pytest.mark.parametrize("images", [LEAST, 20, 22, 23, 300, 2000])
def test_a_gallery_of_any_size_shares_it_out_evenly(images: int) -> None:
    found = shares(images)
    assert found.total == images and min(found.kinds) >= 1 and max(found.kinds) - min(found.kinds) <= 1
    assert found.odd == min(6, images - LEAST)


def test_too_few_pictures_are_no_gallery() -> None:
    with pytest.raises(ValueError, match="at least 16"):
        shares(LEAST - 1)


def test_the_pictures_come_one_by_one_and_are_those_of_the_folder(gallery: tuple[Path, GalleryTruth]) -> None:
    folder, truth = gallery
    found = {}
    for picture in pictures(3, Shares((PER_KIND,) * len(KINDS)), processes=1):
        found[picture.name] = picture.data
        if picture.role in ("near", "same", "corrupt"):
            assert picture.original in found, "a copy comes after what it is a copy of"
    assert found == {name: (folder / name).read_bytes() for name in truth.files}


def test_drawing_and_reporting_need_no_torch() -> None:
    code = "import sys, app.demo.gallery, app.report.report; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
