"""Curves as pictures that are read, searched and coloured like the page around them."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from app.report.curves import COLOURS, Curve, svg

SVG = "{http://www.w3.org/2000/svg}"
CURVE = Curve("Spread", "Of the vectors.", "epoch", {"spread": [(0.0, 0.9), (1.0, 0.8), (2.0, 0.95)]})


def drawn(curve: Curve) -> ET.Element:
    return ET.fromstring(svg(curve))


def texts(picture: ET.Element) -> list[str]:
    return ["".join(text.itertext()).strip() for text in picture.iter(f"{SVG}text")]


def dots(picture: ET.Element) -> int:
    """The markers of the lines' points: matplotlib draws each by <use> inside a clipped group, unlike ticks."""
    return sum(len(group.findall(f"{SVG}use")) for group in picture.iter(f"{SVG}g") if "clip-path" in group.attrib)


def lines(picture: ET.Element) -> list[str]:
    """The paths in a line's colour."""
    hues = ("var(--h0)", "var(--h1)")
    paths = [path.get("style", "") for path in picture.iter(f"{SVG}path") if "clip-path" in path.attrib]
    return [style for style in paths if any(hue in style for hue in hues)]


def test_it_is_one_svg_element_that_runs_and_fetches_nothing() -> None:
    text = svg(CURVE)
    assert text.startswith("<svg") and text.rstrip().endswith("</svg>")
    picture = ET.fromstring(text)
    assert picture.tag == f"{SVG}svg" and picture.get("viewBox")
    names = {element.tag.split("}")[1] for element in picture.iter()}
    assert not names & {"script", "image", "foreignObject", "a"}
    for element in picture.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            assert not name.endswith("href") or value.startswith("#")
            assert "url(" not in value or "url(#" in value


def test_its_text_is_text_and_every_point_is_drawn() -> None:
    picture = drawn(CURVE)
    assert "epoch" in texts(picture) and {"0", "1", "2"} <= set(texts(picture))
    assert dots(picture) == 3 and len(lines(picture)) == 1


def test_colours_are_the_page_s() -> None:
    text = svg(replace(CURVE, lines={"one": [(0, 1)], "two": [(0, 2)]}, level=1.5))
    assert not any(colour in text for colour in COLOURS)
    assert all(variable in text for variable in ("var(--h0)", "var(--h1)", "var(--soft)", "var(--line)"))


def test_points_that_are_none_are_left_out() -> None:
    picture = drawn(replace(CURVE, lines={"nmi": [(0, None), (1, 0.5), (2, 0.6), (3, None)]}))
    assert dots(picture) == 2
    assert "3" not in texts(picture)


@pytest.mark.parametrize("points", [[], [(0.0, None)], [(0.0, None), (1.0, None)]])
def test_a_line_without_any_point_is_left_out(points: list[tuple[float, float | None]]) -> None:
    both = drawn(replace(CURVE, lines={"known": [(0, 1), (1, 2)], "unknown": points}))
    assert dots(both) == 2 and len(lines(both)) == 1
    assert "unknown" not in texts(both)


def test_several_lines_are_named_and_a_single_one_is_not() -> None:
    assert "spread" not in texts(drawn(CURVE))
    both = texts(drawn(replace(CURVE, lines={"with labels": [(2, 0.1), (4, 0.2)], "two seeds": [(2, 0.3), (4, 0.4)]})))
    assert {"with labels", "two seeds"} <= set(both)


def test_a_level_is_drawn_and_lies_within() -> None:
    without, with_level = drawn(CURVE), drawn(replace(CURVE, level=0.2))
    dashed = [path for path in with_level.iter(f"{SVG}path") if "stroke-dasharray" in path.get("style", "")]
    assert len(dashed) == 1 and not [p for p in without.iter(f"{SVG}path") if "dasharray" in p.get("style", "")]
    assert "0.2" in texts(with_level) and "0.2" not in texts(without)


def test_a_logarithmic_axis_gives_equal_room_to_equal_ratios() -> None:
    picture = drawn(replace(CURVE, lines={"k": [(2, 0), (4, 0), (8, 0)]}, logarithmic=True))
    groups = [group for group in picture.iter(f"{SVG}g") if "clip-path" in group.attrib]
    places = [float(use.get("x", "nan")) for group in groups for use in group.findall(f"{SVG}use")]
    assert places[2] - places[1] == pytest.approx(places[1] - places[0])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300, -1e-300, 0.0])
def test_values_of_any_kind_still_make_a_picture(value: float) -> None:
    assert drawn(replace(CURVE, lines={"loss": [(0, 1.0), (1, value)]})).tag == f"{SVG}svg"


def test_markup_in_a_name_stays_text() -> None:
    names = ["<script>alert(1)</script>", "]]>", "a & b"]
    found = texts(drawn(replace(CURVE, x=names[2], lines={name: [(0, 1), (1, 2)] for name in names})))
    assert set(names) <= set(found)


def test_the_same_curve_gives_the_same_bytes() -> None:
    assert svg(CURVE) == svg(CURVE)
