"""clusters.csv: one line an image, safe to open in a spreadsheet."""

import csv
from collections.abc import Iterable
from pathlib import Path

from app.report.atomic import replacing
from app.spreadsheet import safe

COLUMNS = ("name", "cluster_id", "label", "distance", "outlier")

Row = tuple[str, int | None, str | None, float, bool]  # no cluster: left empty


def write_csv(rows: Iterable[Row], path: Path) -> None:
    """Write (name, cluster_id, label, distance, outlier) rows under a header, atomically; RFC 4180, UTF-8."""
    with replacing(path) as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for name, cluster, label, distance, outlier in rows:
            flag = "true" if outlier else "false"
            table.writerow((safe(name), cluster, safe(label or ""), f"{distance:.6f}", flag))
