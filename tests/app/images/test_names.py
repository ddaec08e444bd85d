"""Names of files are for display: hostile ones come back as they were sent and break no header."""

import socket
from pathlib import Path
from urllib.parse import unquote

import pytest
from fastapi.testclient import TestClient

from app.blobs import download_name
from app.images.staging import Stager
from tests.app.calls import multipart, new_collection, part, send_multipart
from tests.fixtures.pictures import jpeg
from tests.fixtures.services import Service

HOSTILE = {
    "rtl": "photo\u202egpj.exe.jpg",
    "html": "<img src=x onerror=alert(1)>.jpg",
    "script": "'><script>alert(1)</script>.jpg",
    "traversal": "../../../../etc/passwd",
    "absolute": "/etc/passwd",
    "drive": "C:/Windows/system32/x.jpg",
    "emoji": "🐦 wren 日本.jpg",
    "percent": "100%0d%0aX-Evil: 1.jpg",
    "formula": "=1+1|cmd.jpg",
    "dots": "..",
    "semicolon": "a; filename=b.jpg",
    "long": "n" * 4092 + ".jpg",
    "long emoji": "🐦" * 4092 + ".jpg",
    "no name": "/",
    "zero width": "a\u200b\ufeff.jpg",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_round_trip(shared_api: TestClient, case: str) -> None:
    name = HOSTILE[case]
    answer = send_multipart(shared_api, new_collection(shared_api), multipart((part(name.encode()), jpeg())))
    (item,) = answer.json()["items"]
    assert item["status"] == "created" and item["name"] == name
    assert shared_api.get(f"/v1/images/{item['image_id']}").json()["name"] == name
    file = shared_api.get(f"/v1/images/{item['image_id']}/file")
    disposition = file.headers["content-disposition"]
    assert disposition.startswith("attachment; filename") and disposition.isascii() and len(disposition) < 1000
    assert file.headers["x-content-type-options"] == "nosniff" and file.headers["content-type"] == "image/jpeg"
    shown = unquote(disposition.partition("=")[2].removeprefix("utf-8''").strip('"'))
    assert shown and "/" not in shown and len(shown.encode()) <= 255
    if len(name.encode()) <= 255 and case != "no name":
        assert shown == name.rpartition("/")[2]


@pytest.mark.parametrize("case", HOSTILE)
def test_a_name_is_no_path(tmp_path: Path, case: str) -> None:
    """Whoever sends it, in a body or in an archive: nothing is written under it, not even for a moment."""
    (scratch := tmp_path / "deep" / "scratch").mkdir(parents=True)
    stager = Stager(scratch, HOSTILE[case], 10)
    stager.write(b"x")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [stager.path] == list(scratch.iterdir())
    assert stager.finish().name == HOSTILE[case] and stager.path.name not in HOSTILE[case]


CLEANED = {
    b"a\x00b.jpg": "ab.jpg",
    b"tab\there.jpg": "tabhere.jpg",
    b"\x1b[31mred.jpg": "[31mred.jpg",
    b"latin-\xe9.jpg": "latin-\ufffd.jpg",
    b"lone \xed\xa0\x80.jpg": "lone \ufffd\ufffd\ufffd.jpg",
    "u\u0308ber.jpg".encode(): "über.jpg",
    b"\x01\x02": "unnamed",
    b"": "unnamed",
    b"n" * 6000: "n" * 4096,
}


@pytest.mark.parametrize("sent", CLEANED, ids=range(len(CLEANED)))
def test_what_no_database_or_terminal_should_hold(shared_api: TestClient, sent: bytes) -> None:
    answer = send_multipart(shared_api, new_collection(shared_api), multipart((part(sent), jpeg())))
    (item,) = answer.json()["items"]
    assert (item["status"], item["name"]) == ("created", CLEANED[sent])


def test_a_line_break_ends_no_header(running: Service) -> None:
    """Seen on the wire: a name of another source may hold what a multipart header can't."""
    name = "a%0D%0AX-Evil: 1.jpg"
    answer = send_multipart(
        running.client, new_collection(running.client), multipart((part(name.encode()), jpeg("blue", 77)))
    )
    image = answer.json()["items"][0]["image_id"]
    with socket.create_connection(("127.0.0.1", running.port)) as connection:
        connection.sendall(
            f"GET /v1/images/{image}/file HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
        )
        head = connection.makefile("rb").read().split(b"\r\n\r\n")[0].lower()
    names = [line.split(b":")[0] for line in head.split(b"\r\n")[1:]]
    assert b"content-disposition" in names and b"x-evil" not in names and len(names) == len(set(names))


def test_a_download_keeps_its_extension() -> None:
    assert download_name("a/b/" + "é" * 300 + ".jpeg").endswith("é.jpeg")
    assert download_name("folder/") == "folder" and download_name("///") == "unnamed"
    assert download_name("." + "x" * 400).startswith(".xxx") and len(download_name("a." + "x" * 400)) == 255
