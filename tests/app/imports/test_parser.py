"""The parser and the list of allowed hosts, with addresses that no one would think of."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.imports.address import MAX_LENGTH, Address, file_name, parse, redirected, shown
from app.imports.allowed import AllowList
from app.imports.failure import UrlFailed
from app.settings import Settings
from tests.app.imports.hostile import ALLOWED, HOSTILE

PIECES = [
    "http", "https", "HTTP", "ftp", ":", "/", "//", "\\", "@", "#", "?", "%", "%25", "%00", "%2e", ".", "..", "-", "_",
    "[", "]", "::1", "::ffff:", "127.0.0.1", "0x7f", "0177", "2130706433", "1", "images.example.org", "example.org",
    "images", "localhost", "80", "443", "8443", ":80", ":8000", "198.51.100.7", "xn--", "\u00fc", "\u3002", "\uff11",
    "\u200b", "\t", "\n", "\r", " ", "\x00", "\ud800", "a", "a.jpg", "*", "&", ";", ",",
]  # fmt: skip
ODD = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
URLS = (
    st.text(max_size=60)
    | ODD
    | st.builds("{}://{}{}".format, st.sampled_from(["http", "https"]), ODD, st.text(max_size=20))
    | st.builds("http://{}images.example.org{}".format, ODD, ODD)
    | st.builds("https://{}.example.org/{}".format, st.from_regex("[a-z]{1,5}", fullmatch=True), st.text(max_size=20))
)
LIST = AllowList(ALLOWED)


def read(url: str) -> Address | None:
    """None when it is refused; anything else that parse raises fails the test."""
    try:
        return parse(url)
    except UrlFailed as failure:
        assert failure.code == "url_refused" and failure.detail.endswith(".")
        return None


def holds(address: Address) -> None:
    """What passes the list is one of its hosts, and what is sent has no character that could end a line."""
    name, port = address.host.name, address.port
    below = name.endswith(".example.org") and address.host.ip is None and port in (80, 443)
    assert below or (name, port) in [("files.example.net", 8443), ("198.51.100.7", 8000)]
    assert all("!" <= c <= "~" for c in address.netloc + address.target)
    assert address.target[0] in "/?" and "#" not in address.target and "@" not in address.netloc


@given(URLS)
def test_it_refuses_or_gives_a_host_of_the_list(url: str) -> None:
    address = read(url)
    if address and LIST.allows(address):
        holds(address)


@given(st.sampled_from(["http://images.example.org/a/b", "https://files.example.net:8443/?q"]), URLS)
def test_redirects_are_read_as_strictly(url: str, location: str) -> None:
    try:
        address = redirected(parse(url), location)
    except UrlFailed as failure:
        assert failure.code == "url_refused"
    else:
        assert read(address.url) == address
        if LIST.allows(address):
            holds(address)


@given(URLS)
def test_what_is_read_means_the_same_when_it_is_written_again(url: str) -> None:
    address = read(url)
    if address and len(address.url) <= MAX_LENGTH:
        assert read(address.url) == address


@given(st.ip_addresses())
def test_no_address_passes_unless_it_is_listed(ip: object) -> None:
    text = f"[{ip}]" if ":" in str(ip) else str(ip)
    address = parse(f"http://{text}/")
    assert address.host.ip == ip
    assert not AllowList("*.example.org, example.org").allows(address)
    assert AllowList(text).allows(address) and not AllowList(f"{text}:81").allows(address)


@given(URLS)
def test_a_file_name_is_one_line_without_a_folder(url: str) -> None:
    name = file_name(url)
    assert name and not set(name) & set("\r\n\x00")
    assert "/" not in name or name == shown(url)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://a.example/birds/0012.jpg", "0012.jpg"),
        ("https://a.example/0012.jpg?size=large/x#y/z", "0012.jpg"),
        ("https://a.example/z%C3%A4hne%20b.png", "z\u00e4hne b.png"),
        ("https://a.example/..%2f..%2fetc%2fpasswd", "passwd"),
        ("https://a.example/..%5c..%5cboot.ini", "boot.ini"),
        ("https://a.example/a%0d%0ab.jpg", "ab.jpg"),
        ("https://a.example/%ff.jpg", "\ufffd.jpg"),
        ("https://a.example/", "https://a.example/"),
        ("https://a.example", "https://a.example"),
        ("\x00", "unnamed"),
    ],
)
def test_file_names(url: str, name: str) -> None:
    assert file_name(url) == name


def test_the_list_itself_is_read_strictly() -> None:
    for entry in ("*", "*.", "http://a.example", "a.example/x", "a@b.example", "a.example:0", "127.1", "*.10.0.0.1",
                  "10.0.0.0/8", "::1", "a.example.", "*.*.example", "a*.example", "[fe80::1%eth0]"):  # fmt: skip
        with pytest.raises(ValueError, match=r"^'"):
            AllowList(f"images.example.org, {entry}")
        with pytest.raises(ValueError, match="import_hosts"):
            Settings(import_hosts=entry)
    assert not AllowList(" , ,") and not AllowList(Settings().import_hosts)


def test_a_mapped_address_is_not_the_listed_one() -> None:
    listed = AllowList("198.51.100.7:8000, [::1]:8000")
    assert listed.names(ip_address("198.51.100.7"), 8000) and listed.names(ip_address("::1"), 8000)
    assert not listed.names(ip_address("::ffff:198.51.100.7"), 8000)
    assert not listed.names(ip_address("198.51.100.7"), 80)


def test_every_hostile_address_is_a_rejected_file_with_a_name() -> None:
    assert all(file_name(url) for url, _ in HOSTILE)
