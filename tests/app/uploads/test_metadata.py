"""Upload-Metadata and Upload-Checksum: what can be read, and what is refused."""

import base64
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.errors import Invalid, Malformed
from app.uploads.checksum import Checksum
from app.uploads.metadata import decoded, read
from tests.app.calls import NOWHERE
from tests.app.uploads.speaking import metadata

KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=","), min_size=1)


@given(st.dictionaries(KEYS, st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_whatever_is_written_is_read(pairs: dict[str, str]) -> None:
    assert decoded(metadata(**pairs)) == pairs


@given(st.text())
@example("key\x85")  # white space to Python alone
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = decoded(text)
    except Invalid as error:
        assert error.code == "upload_metadata_invalid"
    else:
        assert found and text.isascii()


@given(st.text())
def test_any_checksum_is_read_or_refused(text: str) -> None:
    try:
        assert Checksum.read(text)
    except Malformed as error:
        assert error.code == "checksum_unsupported"


@pytest.mark.parametrize(
    ("name", "filetype", "kind"),
    [
        ("a.zip", "", "zip"),
        ("A.ZIP", "", "zip"),
        ("a.tar.gz", "", "tar"),
        ("a.tgz", "application/octet-stream", "tar"),
        ("a", "application/x-tar; x=1", "tar"),
        ("a.tar", "application/zip", "zip"),
        ("a.zip", "image/jpeg", "file"),
        ("a.jpg", "", "file"),
    ],
)
def test_kinds(name: str, filetype: str, kind: str) -> None:
    said = read(metadata(filename=name, collection=NOWHERE, filetype=filetype))
    assert (said.kind, said.name, said.collection_id) == (kind, name, UUID(NOWHERE))


@pytest.mark.parametrize(
    "pairs",
    [
        {"filename": "a.zip"},
        {"collection": NOWHERE},
        {"filename": "a.zip", "collection": "garden"},
        {"filename": "\n", "collection": NOWHERE},
        {"filename": "a.zip", "collection": NOWHERE, "sha256": "12"},
    ],
)
def test_what_is_refused(pairs: dict[str, str]) -> None:
    with pytest.raises(Invalid, match="Upload-Metadata"):
        read(metadata(**pairs))


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(Invalid):
        decoded("filename " + base64.b64encode(b"\xff").decode())
    with pytest.raises(Invalid):
        decoded("filename YQ==,filename YQ==")
