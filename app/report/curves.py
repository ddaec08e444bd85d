"""Curves over the epochs as small SVG pictures that take their colours from the page around them."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SIZE = (4.2, 2.3)  # inches at 72 a pixel
LINE = ("#aa0000", "#aa0001", "#aa0002", "#aa0003")  # stand-ins for the page's hues
INK, FAINT = "#aa00aa", "#aa00bb"
COLOURS = {
    INK: "var(--soft)",
    FAINT: "var(--line)",
    **{line: f"var(--h{number})" for number, line in enumerate(LINE)},
}


@dataclass(frozen=True)
class Curve:
    """Lines over a common axis; a point that is None is left out. `level` is a value to compare with."""

    title: str
    meaning: str
    x: str
    lines: Mapping[str, Sequence[tuple[float, float | None]]]
    logarithmic: bool = False
    level: float | None = None


def svg(curve: Curve) -> str:
    """The picture as an <svg> element; its text stays text, so that it can be read aloud, searched and enlarged."""
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": curve.title, "font.family": "sans-serif"}):
        figure = Figure(figsize=SIZE, layout="constrained")
        axes = figure.subplots()
        for (name, points), colour in zip(curve.lines.items(), LINE, strict=False):
            known = [(x, y) for x, y in points if y is not None]
            axes.plot(*zip(*known, strict=True), color=colour, label=name, linewidth=1.8, marker="o", markersize=3)
        if curve.level is not None:
            axes.axhline(curve.level, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        if curve.logarithmic:
            axes.set_xscale("log")
        else:
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        _quiet(axes, curve)
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    return _themed(out.getvalue())


def _quiet(axes: object, curve: Curve) -> None:
    """Few lines, in the page's colours."""
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)
    axes.set_xlabel(curve.x, color=INK, fontsize=9)
    axes.tick_params(colors=INK, labelsize=9, length=0)
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    if len(curve.lines) > 1:
        axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="best")


def _themed(picture: str) -> str:
    body = picture[picture.index("<svg") :]
    for colour, variable in COLOURS.items():
        body = body.replace(colour, variable)
    return body
