"""clusters.csv: what goes in comes out, and no cell is a formula."""

import csv
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.report.report import write_csv
from app.report.table import COLUMNS
from app.spreadsheet import plain, safe

FORMULAS = ("=", "+", "-", "@", "\t", "\r")
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@given(st.lists(st.tuples(TEXT, st.integers(-1, 99), TEXT, st.floats(0, 2), st.booleans()), max_size=5))
def test_round_trip(rows: list[tuple[str, int, str, float, bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_csv(rows, Path(folder) / "clusters.csv")
        header, *lines = read(Path(folder) / "clusters.csv")
    assert header == list(COLUMNS)
    assert [(plain(name), int(cluster), plain(label), flag) for name, cluster, label, _, flag in lines] == [
        (name, cluster, label, "true" if outlier else "false") for name, cluster, label, _, outlier in rows
    ]
    assert [float(line[3]) for line in lines] == pytest.approx([row[3] for row in rows], abs=1e-6)


@given(TEXT)
def test_no_cell_starts_a_formula_and_plain_undoes_safe(text: str) -> None:
    assert not safe(text).startswith(FORMULAS)
    assert plain(safe(text)) == text


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''"])
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(name: str, tmp_path: Path) -> None:
    write_csv([(name, 0, None, 0.5, False)], tmp_path / "clusters.csv")
    assert read(tmp_path / "clusters.csv")[1] == ["'" + name, "0", "", "0.500000", "false"]


def test_a_name_that_is_no_unicode_is_escaped(tmp_path: Path) -> None:
    write_csv([("lone\udcff.jpg", 0, "", 0.5, True)], tmp_path / "clusters.csv")
    assert read(tmp_path / "clusters.csv")[1][0] == "lone\\udcff.jpg"
