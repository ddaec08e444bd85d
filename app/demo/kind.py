"""What makes a kind of bird: proportions, plumage and where it is met.

Lengths are in body lengths (beak and head marks: in head radii), angles in degrees, x towards the beak, y down.
The body's own frame has its origin in the middle of the body and its +x end at the breast.
"""

from dataclasses import dataclass

from app.demo.canvas import Colour

Spine = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Beak:
    """A ribbon along `spine`, `widths` wide; the part beyond `tip_from` (0 to 1) is in the plumage's tip colour."""

    spine: Spine
    widths: tuple[float, ...]
    tip_from: float = 1.0


@dataclass(frozen=True)
class Form:
    """The shape of a kind."""

    depth: float
    posture: float
    neck: Spine
    head: float
    beak: Beak
    tail: tuple[float, float, float]
    """length, spread in degrees, and angle against the body's axis (> 0 droops)"""
    legs: float
    wing: float
    neck_width: float = 0.3
    leg_width: float = 0.035
    egg: float = 0.12
    eye: float = 0.2
    frontal: bool = False
    hovers: bool = False


@dataclass(frozen=True)
class Mark:
    """An oval of colour on the body or the head, kept inside the bird's silhouette; `soft` is its edge's width."""

    on: str
    centre: tuple[float, float]
    radii: tuple[float, float]
    colour: Colour
    angle: float = 0.0
    soft: float = 0.05


@dataclass(frozen=True)
class Plumage:
    """The colours of a kind; `wing` is coverts, secondaries, primaries."""

    body: Colour
    wing: tuple[Colour, Colour, Colour]
    tail: Colour
    beak: Colour
    legs: Colour
    marks: tuple[Mark, ...] = ()
    beak_tip: Colour = (30, 28, 30)
    iris: Colour = (38, 24, 18)
    barred: Colour | None = None


@dataclass(frozen=True)
class Kind:
    """One kind of bird; `span` is its whole extent, `settings` the (perch, backdrop) pairs it is met in."""

    name: str
    form: Form
    plumages: tuple[Plumage, ...]
    span: float
    settings: tuple[tuple[str, str], ...]
