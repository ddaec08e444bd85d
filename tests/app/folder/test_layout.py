"""Pictures laid out by cluster."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from app.folder.layout import lay_out
from app.folder.scan import NothingToDo


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a/1.jpg", "b/1.JPG", "2.jpg", "3.jpg"):
        path = tmp_path / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "pictures"


CLUSTERS = [(0, ["a/1.jpg", "b/1.JPG"]), (1, ["2.jpg"]), (-1, ["3.jpg"])]
WANTED = {
    "cluster-0/1.jpg": "a/1.jpg", "cluster-0/1-2.JPG": "b/1.JPG", "cluster-1/2.jpg": "2.jpg",
    "no-cluster/3.jpg": "3.jpg",
}  # fmt: skip


def laid_out(target: Path) -> dict[str, str]:
    return {path.relative_to(target).as_posix(): path.read_text() for path in target.rglob("*.[jJ]*")}


def test_links_take_no_room(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "out" / "clusters"
    assert lay_out(folder, CLUSTERS, target) == 0
    assert laid_out(target) == WANTED
    assert (target / "cluster-1/2.jpg").samefile(folder / "2.jpg")


def test_copies_where_links_fail(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise OSError(errno.EXDEV, "another disk")

    monkeypatch.setattr(os, "link", fails)
    target = tmp_path / "clusters"
    assert lay_out(folder, CLUSTERS, target) == 4
    assert laid_out(target) == WANTED and not (target / "cluster-1/2.jpg").samefile(folder / "2.jpg")


def test_what_roost_made_is_made_anew(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "clusters"
    lay_out(folder, [(0, ["2.jpg"])], target)
    lay_out(folder, CLUSTERS, target)
    assert laid_out(target) == WANTED and not target.with_name("clusters.part").exists()


def test_what_is_not_roosts_is_left_alone(folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "clusters" / "mine.jpg"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(NothingToDo, match="not made by Roost"):
        lay_out(folder, CLUSTERS, mine.parent)
    assert laid_out(mine.parent) == {"mine.jpg": "mine"}
