"""A small report with every section in it, beside real thumbnails."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from app.report.report import Report, ReportCluster, ReportImage

HOSTILE = (
    "<img src=x onerror=alert(1)>.jpg",
    '"><script>alert(1)</script>.jpg',
    "a\r\nSet-Cookie: x=1.jpg",
    "\u202egpj.exe",
    "nul\x00byte.jpg",
    "javascript:alert(1)",
    "lone\udcff.jpg",
    "{{ 7 * 7 }}{% raw %}.jpg",
    "hash#query?percent%.jpg",
)


def thumbnail(name: str) -> str:
    """As near to the hostile name as a file system allows."""
    return "thumbs/" + name.replace("/", "").replace("\x00", "")


@pytest.fixture
def report() -> Report:
    """Two clusters, 20 images with plain names and one for each hostile name."""
    plain = [ReportImage(f"wren/{i:04d}.jpg", f"thumbs/{i}.jpg", 0.05 + i / 100, outlier=i == 4) for i in range(20)]
    hostile = [ReportImage(name, thumbnail(name), 0.2) for name in HOSTILE]
    return Report(
        title="Garden <2026>", created_at=datetime(2026, 5, 4, 6, 40, tzinfo=UTC), encoder="efficientnet-lite0",
        algorithm="kmeans", k=2, seed=7, images=29, rejected=[("<b>x</b>.jpg", "image_corrupt", "ends <early>")],
        duplicates=[("copy.jpg", "wren/0001.jpg")], metrics={"silhouette": 0.25, "davies_bouldin": None},
        scores={"n": 20, "k": 2, "nmi": 0.9}, seconds={"read": 1.0, "embed": 3.0, "total": 4.5}, images_per_s=6.4,
        clusters=[ReportCluster(0, "wren & robin", 0.8, plain), ReportCluster(1, None, 0.6, hostile)],
        truth={image.name: "wren" if i else "robin" for i, image in enumerate(plain)},
    )  # fmt: skip


@pytest.fixture
def thumbnails(tmp_path: Path) -> Path:
    """The folder a report is written into, with a picture for each name."""
    folder = tmp_path / "thumbs"
    folder.mkdir()
    for i in range(20):
        Image.new("RGB", (341, 256), (10 * i, 120, 200 - 8 * i)).save(folder / f"{i}.jpg")
    for name in HOSTILE:
        (tmp_path / thumbnail(name)).write_bytes((folder / "0.jpg").read_bytes())
    return tmp_path
