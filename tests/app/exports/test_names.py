"""Names that every system takes."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from app.exports.names import FORBIDDEN, MOST_BYTES, RESERVED, Unique, safe_name


@given(st.text(max_size=300))
def test_any_text_becomes_a_name(text: str) -> None:
    name = safe_name(text)
    assert name and name not in (".", "..") and not FORBIDDEN & set(name)
    assert all(unicodedata.category(c)[0] != "C" for c in name)
    assert len(name.encode()) <= MOST_BYTES and name == name.strip() and not name.endswith(".")
    assert name.partition(".")[0].lower() not in RESERVED
    assert safe_name(name) == name


def test_known_names() -> None:
    names = {
        "wren": "wren", "a/b\\c": "a_b_c", "..": "unnamed", "": "unnamed", "CON": "_CON", "nul.jpg": "_nul.jpg",
        " wren. ": "wren", "a\x00b": "a_b", "../../etc/passwd": ".._.._etc_passwd", ".htaccess": ".htaccess",
    }  # fmt: skip
    assert {text: safe_name(text) for text in names} == names
    long = safe_name("x" * 300 + ".jpeg")
    assert len(long) == MOST_BYTES and long.endswith("x.jpeg")


@given(st.lists(st.sampled_from(["a.jpg", "A.JPG", "a-2.jpg", "a", "A-2", "\u00c5.jpg", "A\u030a.jpg"]), max_size=30))
def test_no_name_is_given_twice(names: list[str]) -> None:
    unique = Unique(["a-3"])
    given = [unique(name) for name in names]
    assert len({unicodedata.normalize("NFKC", one.casefold()) for one in [*given, "a-3"]}) == len(given) + 1


def test_a_second_one_keeps_its_extension() -> None:
    unique = Unique()
    assert [unique("a.b.jpg"), unique("A.b.jpg"), unique("a.b.jpg"), unique(".x"), unique(".x")] == [
        "a.b.jpg", "A.b-2.jpg", "a.b-3.jpg", ".x", ".x-2",
    ]  # fmt: skip
