"""clusters.csv: one line an image, safe to open in a spreadsheet.

A spreadsheet runs a cell that starts with = + - @, a tab or a carriage return as a formula, and a file's name can
start with any of them. Such a cell gets one apostrophe in front, which spreadsheets take as "this is text"; so does a
cell that already starts with an apostrophe, so that a program gets the exact text back by taking one away (`plain`).
"""

import csv
from collections.abc import Iterable
from pathlib import Path

from app.report.atomic import replacing
from app.spreadsheet import safe

COLUMNS = ("name", "cluster_id", "label", "distance", "outlier")

Row = tuple[str, int, str | None, float, bool]


def write_csv(rows: Iterable[Row], path: Path) -> None:
    """Write (name, cluster_id, label, distance, outlier) rows under a header, atomically; RFC 4180, UTF-8."""
    with replacing(path) as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for name, cluster, label, distance, outlier in rows:
            flag = "true" if outlier else "false"
            table.writerow((guarded(name), cluster, guarded(label or ""), f"{distance:.6f}", flag))


def guarded(cell: str) -> str:
    """`cell` as text that no spreadsheet runs."""
    return "'" + cell if cell.startswith("'") else safe(cell)


def plain(cell: str) -> str:
    """The text that `guarded` was given."""
    return cell.removeprefix("'")
