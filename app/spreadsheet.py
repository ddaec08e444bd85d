"""CSV that a spreadsheet opens without running anything.

A spreadsheet runs a cell that starts with = + - @, a tab or a carriage return as a formula, and a file's name can
start with any of them (OWASP, CSV Injection). Such a cell gets one apostrophe in front, which spreadsheets take as
"this is text"; so does a cell that already starts with an apostrophe, so that `plain` gives the exact text back.
"""


def safe(text: str) -> str:
    """The text as a cell that no spreadsheet runs."""
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r", "'")) else text


def plain(cell: str) -> str:
    """The text that `safe` was given."""
    return cell.removeprefix("'")
