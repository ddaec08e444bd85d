"""From a kind and a pose to a painted bird: tail, legs, body, plumage, wing, head, in the order they overlap."""

import colorsys
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from PIL import Image

from app.demo.canvas import Colour, Frame, Layer, Points, curve, oval, oval_at, smooth, taper
from app.demo.kind import Form, Kind, Plumage
from app.demo.light import inflate


@dataclass(frozen=True)
class Pose:
    """How one bird is held: `wing` 0 folded to 1 raised, angles in degrees, `length` the body's in pixels."""

    length: float
    mirrored: bool
    tilt: float
    head: float
    wing: float
    standing: bool


@dataclass(frozen=True)
class Sprite:
    """A painted bird on transparency; `foot` and `waterline` are pixels from its upper left corner."""

    image: Image.Image
    foot: tuple[float, float]
    waterline: float


def pose(kind: Kind, length: float, perch: str, rng: Generator) -> Pose:
    """A pose drawn at random; a hovering kind always has its wings up."""
    raised = kind.form.hovers or rng.random() < 0.2
    return Pose(
        length,
        bool(rng.random() < 0.5),
        float(rng.normal(0, 6)),
        float(rng.normal(0, 9)),
        float(rng.uniform(0.55, 1.0)) if raised else float(rng.uniform(0, 0.08)),
        standing=perch not in ("afloat", "air"),
    )


def paint(kind: Kind, held: Pose, rng: Generator) -> Sprite:
    """One bird of `kind`, its plumage and colours varied by `rng`, cropped to what was painted."""
    side = int(held.length * (kind.span * 1.25 + 0.8))
    bird = _Bird(kind, held, rng, Layer((side, side)))
    bird.paint()
    flat, corner = bird.layer.reduced()
    foot = bird.world([(0.0, bird.ground)])[0] - corner
    waterline = bird.world([(0.0, kind.form.depth * 0.3)])[0][1] - corner[1]
    return Sprite(inflate(flat, held.length, rng), (float(foot[0]), float(foot[1])), float(waterline))


class _Bird:
    """The frames of one bird (world: pixels; body; head) and the strokes that paint it."""

    def __init__(self, kind: Kind, held: Pose, rng: Generator, layer: Layer) -> None:
        self.form: Form = kind.form
        self.plumage: Plumage = kind.plumages[int(rng.integers(len(kind.plumages)))]
        self.pose, self.rng, self.layer = held, rng, layer
        young = rng.random() < 0.14  # duller and paler, as young birds of most kinds are
        self._hue, self._value = rng.normal(0, 0.012), rng.normal(1, 0.08)
        self._saturation = rng.uniform(0.3, 0.55) if young else rng.normal(0.95, 0.12)
        self.world = Frame.at((layer.size[0] / 2, layer.size[1] / 2), 0, held.length, held.mirrored)
        self.body = Frame.at((0, 0), -self.form.posture - held.tilt).inside(self.world)
        self.neck = self._bent_neck()
        self.head = Frame.at(self.neck[-1], -held.head * 0.6 + self._head_level(), self.form.head).inside(self.body)
        self.ground = self.form.depth / 2 + self.form.legs
        self.silhouette: Image.Image | None = None

    def paint(self) -> None:
        self._tail()
        if self.form.legs and self.pose.standing:
            self._legs()
        if self.pose.wing > 0.3:
            self._wing(far=True)
        if self.form.frontal:
            self._ear_tufts()
        else:
            self._beak()
        self._trunk()
        self._marks()
        self._wing(far=False)
        if self.form.frontal:
            self._face()
        else:
            self._eye(self.head([(0.28, -0.18)])[0], self.form.eye * self.form.head)

    def tone(self, colour: Colour, light: float = 1.0) -> Colour:
        """`colour` in this bird's own hue, saturation and brightness."""
        hue, saturation, value = colorsys.rgb_to_hsv(*(c / 255 for c in colour))
        rgb = colorsys.hsv_to_rgb(
            (hue + self._hue) % 1, min(1, saturation * self._saturation), min(1, value * self._value * light)
        )
        return round(rgb[0] * 255), round(rgb[1] * 255), round(rgb[2] * 255)

    def _head_level(self) -> float:
        """The head stays level while the body is raised; the body frame is turned by posture and tilt."""
        return self.form.posture + self.pose.tilt

    def _bent_neck(self) -> Points:
        neck = np.array(self.form.neck)
        sway = np.linspace(0, 1, len(neck))[:, None] ** 1.5
        return np.asarray(neck + sway * self.rng.normal(0, 0.03 * max(1, len(neck) - 2), (1, 2)))

    def _tail(self) -> None:
        length, spread, droop = self.form.tail
        for angle in np.linspace(-spread, spread, 5):
            frame = Frame.at((-0.4, 0.0), 180 - droop + angle).inside(self.body)
            reach = length + 0.12 - 0.004 * abs(angle) * length
            self._feather(frame, reach, 0.13, self.tone(self.plumage.tail, 1 + angle * 0.006))

    def _feather(self, frame: Frame, length: float, width: float, colour: Colour, opacity: float = 1.0) -> None:
        spine = [(0.0, 0.0), (length * 0.5, width * 0.12), (length, 0.0)]
        outline = frame(taper(spine, (width * 0.5, width, width * 1.02, width * 0.7, 0.0), 6))
        if opacity < 1:
            self.layer.shade(outline, colour, soft=self.pose.length * 0.02, opacity=opacity)
            return
        self.layer.fill(outline, _darker(colour, 0.78))
        inner = frame(taper(spine, (width * 0.4, width * 0.84, width * 0.86, width * 0.55, 0.0), 6) * (0.985, 1))
        self.layer.fill(inner, colour)

    def _legs(self) -> None:
        colour, width = self.tone(self.plumage.legs), self.form.leg_width
        hip, foot = self.form.depth * 0.3, self.ground
        for side, shade in ((-0.09, 0.75), (0.05, 1.0)):
            knee = ((side - 0.05), hip + (foot - hip) * 0.45)
            spine = [(side - 0.02, hip), knee, (side, foot)]
            self.layer.fill(self.world(taper(spine, (width * 1.5, width, width * 1.15))), _darker(colour, shade))
            for toe in (-0.09, 0.07, 0.13):
                tip = [(side, foot - width * 0.2), (side + toe * 0.6, foot + 0.0), (side + toe, foot + 0.02)]
                self.layer.fill(self.world(taper(tip, (width, width * 0.8, width * 0.3))), _darker(colour, shade))

    def _trunk(self) -> None:
        form = self.form
        widths = np.linspace(form.neck_width, form.head * 1.5, len(self.neck)).tolist()
        outlines = [
            self.body(oval(0, 0, 0.52, form.depth / 2, 0, form.egg)),
            self.body(taper(self.neck, widths)),
            self.head(oval(0, 0, 1.06, 1.0)),
        ]
        self.silhouette = self.layer.mask(outlines)
        for outline in outlines:
            self.layer.fill(outline, self.tone(self.plumage.body))
        shadow = self.body(oval(-0.1, form.depth * 0.42, 0.6, form.depth * 0.2))
        self.layer.shade(
            shadow, self.tone(self.plumage.body, 0.6), soft=0.12 * self.pose.length, opacity=0.5, within=self.silhouette
        )

    def _marks(self) -> None:
        for mark in self.plumage.marks:
            frame = self.head if mark.on == "head" else self.body
            outline = frame(oval(*mark.centre, *mark.radii, mark.angle))
            self.layer.shade(outline, self.tone(mark.colour), soft=mark.soft * self.pose.length, within=self.silhouette)
        if self.plumage.barred:
            self._bars(self.tone(self.plumage.barred))

    def _bars(self, colour: Colour) -> None:
        """Rows of short crescents over the breast, like an owl's or a hen's."""
        for row, x in enumerate(np.linspace(0.32, -0.42, 8)):
            for y in np.linspace(-0.02, 0.34, 5) * self.form.depth * 1.5 + (row % 2) * 0.035:
                jitter = self.rng.normal(0, 0.012, 2)
                outline = self.body(oval(x + jitter[0], y + jitter[1], 0.026, 0.034, 10))
                self.layer.shade(outline, colour, opacity=0.55, within=self.silhouette)

    def _wing(self, far: bool) -> None:
        """Three rows of feathers fanned about the shoulder: primaries, secondaries, coverts."""
        raised, length = self.pose.wing, self.form.wing
        opacity = 0.6 if self.form.hovers else 1.0
        base = 171 + raised * (96 if far else 62)
        shade = 0.82 if far else 1.0
        shoulder = (0.2 + (0.06 if far else 0.0), -self.form.depth * 0.16)
        rows = ((1.0, 5, 2), (0.66, 4, 1)) if self.form.hovers else ((1.0, 8, 2), (0.74, 7, 1), (0.46, 6, 0))
        spread_to = 17 if self.form.hovers else 38
        if raised <= 0.3:
            cast = Frame.at((shoulder[0], shoulder[1] + 0.05), base).inside(self.body)
            self.layer.shade(
                cast(oval(length * 0.4, 0, length * 0.46, 0.17)),
                (20, 16, 14),
                opacity=0.3,
                soft=0.06 * self.pose.length,
                within=self.silhouette,
            )
        for reach, count, colour in rows:
            spread = (7 + raised * spread_to) * (1.25 - reach * 0.25) + (1 - reach) * 9
            for i, angle in enumerate(np.linspace(-spread, spread, count)):
                light = shade * (0.94 + 0.09 * i / count + 0.03 * (i % 2))
                frame = Frame.at(shoulder, base + angle).inside(self.body)
                extent = length * reach * (1 - 0.22 * (i / count if raised <= 0.3 else abs(i / count - 0.6)))
                self._feather(frame, extent, 0.15 + raised * 0.05, self.tone(self.plumage.wing[colour], light), opacity)
        if not self.form.hovers:
            cap = Frame.at(shoulder, base).inside(self.body)(oval(0.07, 0.0, 0.15, 0.12, 0, -0.1))
            self.layer.shade(cap, self.tone(self.plumage.wing[0], shade * 1.06), soft=0.03 * self.pose.length)

    def _beak(self) -> None:
        beak = self.form.beak
        spine = np.array(beak.spine)
        whole = taper(spine, beak.widths, 10)
        self.layer.fill(self.head(whole), self.tone(self.plumage.beak))
        line = curve(spine, 10)
        cut = round(len(line) * beak.tip_from)
        if cut < len(line) - 1:
            tip = np.vstack([whole[cut : len(line)], whole[len(line) : 2 * len(line) - cut]])
            self.layer.fill(self.head(tip), self.tone(self.plumage.beak_tip))
        gape = line[: max(3, round(len(line) * 0.75))][::3]
        self.layer.fill(self.head(taper(gape, (0.07, 0.05, 0.02), 3)), _darker(self.tone(self.plumage.beak), 0.6))

    def _eye(self, centre: Points, radius: float) -> None:
        r = radius * self.pose.length
        self.layer.fill(oval_at(centre, r * 1.18, r * 1.18), _darker(self.tone(self.plumage.body), 0.45))
        self.layer.fill(oval_at(centre, r, r), self.plumage.iris)
        self.layer.fill(oval_at(centre, r * 0.66, r * 0.66), (14, 12, 12))
        self.layer.fill(oval(centre[0] + r * 0.3, centre[1] - r * 0.36, r * 0.24, r * 0.24), (250, 250, 250))

    def _ear_tufts(self) -> None:
        for side in (-1, 1):
            tuft = smooth([(side * 0.3, -0.7), (side * 0.72, -1.42), (side * 0.9, -0.4)], 6)
            self.layer.fill(self.head(tuft), self.tone(self.plumage.body, 0.85))

    def _face(self) -> None:
        """An owl's: two pale discs with a dark rim, big eyes, the beak between them."""
        pale, dark = self.tone(self.plumage.marks[0].colour), self.tone(self.plumage.body, 0.62)
        soft = 0.02 * self.pose.length
        for side in (-1, 1):
            self.layer.shade(
                self.head(oval(side * 0.4 + 0.06, 0.08, 0.5, 0.56, side * 14)), dark, soft=soft, within=self.silhouette
            )
            self.layer.shade(self.head(oval(side * 0.39 + 0.06, 0.08, 0.43, 0.49, side * 14)), pale, soft=soft)
        for side in (-1, 1):
            self._eye(self.head([(side * 0.39 + 0.06, 0.0)])[0], self.form.eye * self.form.head)
            brow = [(side * 0.1 + 0.06, -0.08), (side * 0.4 + 0.06, -0.36), (side * 0.85 + 0.06, -0.66)]
            self.layer.fill(self.head(taper(brow, (0.06, 0.2, 0.03))), dark)
        self._beak()


def _darker(colour: Colour, factor: float) -> Colour:
    return round(colour[0] * factor), round(colour[1] * factor), round(colour[2] * factor)
