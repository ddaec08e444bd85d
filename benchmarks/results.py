"""Rows as they are measured: one JSON line each, so that a killed series goes on, and a table in the report."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Results:
    lines: Path
    report: Path

    def rows(self, **key: Any) -> list[Row]:
        """Those whose entries are `key`, in the order in which they were measured."""
        if not self.lines.exists():
            return []
        every = [json.loads(line) for line in self.lines.read_text().splitlines()]
        return [row for row in every if row.items() >= key.items()]

    def measured(self, measure: Callable[[], Row], **key: Any) -> Row:
        """The row of that key, measured now unless it was before."""
        if found := self.rows(**key):
            return found[-1]
        row = key | measure()
        with self.lines.open("a") as stream:
            stream.write(json.dumps(row) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        return row

    def show(self, section: str, text: str) -> None:
        """Puts `text` into the section of the report, in place of what was there."""
        first, last = f"<!-- {section} -->\n", f"<!-- end of {section} -->\n"
        report = self.report.read_text() if self.report.exists() else ""
        if first not in report:
            report += f"\n{first}{last}"
        before, rest = report.split(first)
        self.report.write_text(before + first + text + "\n" + last + rest.split(last)[1])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows))


def percent(share: float) -> str:
    return f"{100 * share:.1f}"


def change(start: float | None, end: float | None, digits: int = 3) -> str:
    if start is None or end is None:
        return "-"
    return f"{start:.{digits}f} -> {end:.{digits}f}"
