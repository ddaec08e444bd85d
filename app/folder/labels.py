"""What is known of the pictures: from the folders they lie in, or from a table."""

import csv
from pathlib import Path


class LabelsUnreadable(Exception):
    """The file of labels is not what it should be; the message says what it should."""


def read(source: str, names: list[str]) -> dict[str, str]:
    """name -> label, for `folders` or a CSV file with the columns name and label."""
    if source == "folders":
        return {name: Path(name).parent.as_posix() for name in names if "/" in name}
    try:
        with Path(source).open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LabelsUnreadable(f"--labels {source}: {error}; give 'folders' or a CSV file with name,label") from error
    if any(len(row) != 2 for row in rows):
        raise LabelsUnreadable(f"--labels {source}: each line needs two columns, name,label")
    known = {name: label for name, label in rows}
    found = {name: known[name] for name in names if name in known}
    if not found:
        raise LabelsUnreadable(f"--labels {source}: none of its names is a picture of the folder, such as {names[0]!r}")
    return found
