"""Addresses that lead elsewhere than they seem to: refused, and not one connection is made."""

from ipaddress import ip_address

import pytest

from app.imports.failure import UrlFailed
from app.imports.routable import routable
from tests.app.imports.hostile import ALLOWED, HOSTILE, PRIVATE, PUBLIC
from tests.app.imports.network import Names, Recorded, fetched


def test_the_table_is_long_and_has_no_line_twice() -> None:
    assert len({url for url, _ in HOSTILE}) == len(HOSTILE) >= 120


@pytest.mark.parametrize(("url", "reason"), HOSTILE)
def test_refused_without_a_question_to_the_network(url: str, reason: str) -> None:
    names, network = Names(), Recorded()
    with pytest.raises(UrlFailed) as failure:
        fetched(ALLOWED, url, names, network)
    assert failure.value.code == "url_refused" and reason in failure.value.detail
    assert not names.asked and not network.connections


@pytest.mark.parametrize("address", PRIVATE)
def test_an_allowed_name_that_leads_inside(address: str) -> None:
    assert not routable(ip_address(address))
    for answers in ([address], ["8.8.8.8", address], [address, "8.8.8.8"]):
        network = Recorded()
        with pytest.raises(UrlFailed) as failure:
            fetched(ALLOWED, "http://images.example.org/a.jpg", Names(answers), network)
        assert failure.value.code == "url_refused" and "public internet" in failure.value.detail
        assert address not in failure.value.detail, "inner names and addresses are not told"
        assert not network.connections


@pytest.mark.parametrize("address", PUBLIC)
def test_an_allowed_name_that_leads_outside_is_asked_there(address: str) -> None:
    network = Recorded()
    with pytest.raises(UrlFailed) as failure:
        fetched(ALLOWED, "http://images.example.org/a.jpg", Names([address]), network)
    assert failure.value.code == "url_unreachable"
    assert network.connections == [(str(ip_address(address)), 80)]


@pytest.mark.parametrize(
    ("url", "connection"),
    [
        ("http://images.example.org", ("93.184.215.14", 80)),
        ("HTTPS://IMAGES.Example.ORG/a.jpg?x=1#part", ("93.184.215.14", 443)),
        ("http://images.example.org:443/", ("93.184.215.14", 443)),
        ("https://a.b.c.example.org/", ("93.184.215.14", 443)),
        ("https://b\u00fccher.example.org/\u00fc.jpg", ("93.184.215.14", 443)),
        ("https://a_b.example.org/", ("93.184.215.14", 443)),
        ("https://files.example.net:8443/", ("93.184.215.14", 8443)),
        ("http://198.51.100.7:8000/", ("198.51.100.7", 8000)),
        ("http://images.example.org/@127.0.0.1/", ("93.184.215.14", 80)),
        ("http://images.example.org//127.0.0.1/", ("93.184.215.14", 80)),
        ("http://images.example.org?@127.0.0.1/", ("93.184.215.14", 80)),
        ("http://images.example.org#@127.0.0.1/", ("93.184.215.14", 80)),
        ("http://images.example.org/%0d%0aHost:%20intern", ("93.184.215.14", 80)),
    ],
)
def test_what_is_allowed_goes_where_it_says(url: str, connection: tuple[str, int]) -> None:
    network = Recorded()
    with pytest.raises(UrlFailed, match="takes no connection"):
        fetched(ALLOWED, url, Names(), network)
    assert network.connections == [connection]
