"""Archives written piece by piece, opened by two others: Python's zipfile and, where it is there, Info-ZIP's unzip."""

import io
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.exports.zipped import zipped

WHEN = datetime(2026, 5, 1, 12, 30, 58, tzinfo=UTC)
CONTENT = st.lists(st.binary(max_size=2000), max_size=4)


@given(
    st.dictionaries(st.text("abcé/", min_size=1, max_size=12).filter(lambda n: n.strip("/") == n), CONTENT, max_size=9)
)
def test_what_goes_in_comes_out(files: dict[str, list[bytes]]) -> None:
    whole = b"".join(zipped((name, WHEN, pieces) for name, pieces in files.items()))
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None and archive.namelist() == list(files)
        for name, pieces in files.items():
            info = archive.getinfo(name)
            assert archive.read(name) == b"".join(pieces)
            assert info.compress_type == zipfile.ZIP_STORED and info.date_time == (2026, 5, 1, 12, 30, 58)


def test_more_files_than_the_old_form_counts() -> None:
    count = 66_000
    whole = b"".join(zipped((f"{n}.txt", WHEN, [b"x"]) for n in range(count)))
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert len(archive.infolist()) == count and archive.read(f"{count - 1}.txt") == b"x"


def test_files_are_read_only_when_their_turn_comes() -> None:
    opened: list[int] = []

    def content(number: int) -> Iterator[bytes]:
        opened.append(number)
        yield b"y" * 10

    stream = zipped((f"{n}", WHEN, content(n)) for n in range(3))
    next(stream), next(stream)
    assert opened == [0]


def test_times_before_dos() -> None:
    whole = b"".join(zipped([("old", datetime(1901, 1, 1, tzinfo=UTC), [])]))
    assert zipfile.ZipFile(io.BytesIO(whole)).getinfo("old").date_time == (1980, 1, 1, 0, 0, 0)


@pytest.mark.skipif(not shutil.which("unzip"), reason="there is no unzip on this machine")
def test_unzip_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"".join(zipped([("a/b.txt", WHEN, [b"one", b"two"]), ("c", WHEN, [])])))
    subprocess.run(["unzip", "-q", str(path), "-d", str(tmp_path / "out")], check=True)
    assert (tmp_path / "out/a/b.txt").read_bytes() == b"onetwo"
