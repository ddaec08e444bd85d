"""Smooth outlines and the supersampled layer they are painted on.

Outlines are (N, 2) arrays of x, y with y pointing down. A layer is painted at three times its final size and reduced
once at the end, which is what makes its edges smooth: Pillow draws polygons without anti-aliasing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

Points = NDArray[np.float64]
Colour = tuple[int, int, int]
SUPERSAMPLING = 3


def smooth(points: ArrayLike, steps: int = 8) -> Points:
    """The closed Catmull-Rom curve through `points` (N, 2), as N * steps points."""
    p1 = np.asarray(points, dtype=np.float64)
    p0, p2, p3 = np.roll(p1, 1, 0), np.roll(p1, -1, 0), np.roll(p1, -2, 0)
    return _catmull_rom(p0, p1, p2, p3, steps)


def curve(points: ArrayLike, steps: int = 8) -> Points:
    """The open Catmull-Rom curve from the first to the last of `points` (N, 2)."""
    p = np.asarray(points, dtype=np.float64)
    padded = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    spans = _catmull_rom(padded[:-3], padded[1:-2], padded[2:-1], padded[3:], steps)
    return np.vstack([spans, p[-1]])


def _catmull_rom(p0: Points, p1: Points, p2: Points, p3: Points, steps: int) -> Points:
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    p0, p1, p2, p3 = (p[:, None, :] for p in (p0, p1, p2, p3))
    spans = p1 + 0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)))
    return np.asarray(spans.reshape(-1, 2))


def oval(x: float, y: float, rx: float, ry: float, angle: float = 0.0, egg: float = 0.0) -> Points:
    """An ellipse turned by `angle` degrees; `egg` > 0 makes its +x end the blunt one."""
    t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    px, py = rx * np.cos(t), ry * np.sin(t) * (1 + egg * np.cos(t))
    return Frame.at((x, y), angle)(np.stack([px, py], 1))


def oval_at(centre: Points, rx: float, ry: float, angle: float = 0.0) -> Points:
    """The same about a point (2,)."""
    return oval(float(centre[0]), float(centre[1]), rx, ry, angle)


def taper(spine: ArrayLike, widths: Sequence[float], steps: int = 8) -> Points:
    """The outline of a ribbon along the curve through `spine` (N, 2), `widths` (N,) wide at each of its points."""
    line = curve(spine, steps)
    half = np.interp(np.linspace(0, len(widths) - 1, len(line)), np.arange(len(widths)), widths)[:, None] / 2
    along = np.gradient(line, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    across = np.stack([-along[:, 1], along[:, 0]], 1) * half
    return np.vstack([line + across, (line - across)[::-1]])


@dataclass(frozen=True)
class Frame:
    """A placed, turned, scaled and possibly mirrored coordinate system: `frame(points)` gives its parent's points."""

    matrix: Points
    origin: Points

    @classmethod
    def at(cls, origin: ArrayLike, angle: float = 0.0, scale: float = 1.0, mirrored: bool = False) -> "Frame":
        a = np.deg2rad(angle)
        turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) * scale
        return cls(np.diag([-1.0, 1.0]) @ turn if mirrored else turn, np.asarray(origin, dtype=np.float64))

    def __call__(self, points: ArrayLike) -> Points:
        return np.asarray(np.asarray(points, dtype=np.float64) @ self.matrix.T + self.origin)

    def inside(self, outer: "Frame") -> "Frame":
        """The frame that does this one's transform and then `outer`'s."""
        return Frame(outer.matrix @ self.matrix, outer(self.origin))


class Layer:
    """A transparent RGBA picture of `size` pixels, painted at SUPERSAMPLING times that."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.image = Image.new("RGBA", (size[0] * SUPERSAMPLING, size[1] * SUPERSAMPLING))
        self._draw = ImageDraw.Draw(self.image)

    def fill(self, outline: Points, colour: Colour) -> None:
        """Paint an outline (in final pixels) flat and opaque."""
        self._draw.polygon((outline * SUPERSAMPLING).ravel().tolist(), fill=(*colour, 255))

    def mask(self, outlines: Sequence[Points]) -> Image.Image:
        """The union of outlines as an L image of the layer's supersampled size."""
        mask = Image.new("L", self.image.size)
        draw = ImageDraw.Draw(mask)
        for outline in outlines:
            draw.polygon((outline * SUPERSAMPLING).ravel().tolist(), fill=255)
        return mask

    def shade(
        self,
        outline: Points,
        colour: Colour,
        *,
        soft: float = 0.0,
        opacity: float = 1.0,
        within: Image.Image | None = None,
    ) -> None:
        """Paint an outline with an edge `soft` pixels wide, only where `within` (a mask of this layer) is set."""
        margin = 2 * soft + 1
        low = np.floor((outline.min(0) - margin) * SUPERSAMPLING).astype(int)
        high = np.ceil((outline.max(0) + margin) * SUPERSAMPLING).astype(int)
        left, top = np.maximum(low, 0).tolist()
        right, bottom = np.minimum(high, self.image.size).tolist()
        if right <= left or bottom <= top:
            return  # wholly outside the picture
        patch = Image.new("L", (right - left, bottom - top))
        shifted = outline * SUPERSAMPLING - (left, top)
        ImageDraw.Draw(patch).polygon(shifted.ravel().tolist(), fill=round(255 * opacity))
        if soft:
            patch = patch.filter(ImageFilter.BoxBlur(soft * SUPERSAMPLING * 0.8))
        if within is not None:
            patch = ImageChops.multiply(patch, within.crop((left, top, right, bottom)))
        paint = Image.new("RGBA", patch.size, (*colour, 255))
        paint.putalpha(patch)
        self.image.alpha_composite(paint, (left, top))

    def reduced(self) -> tuple[Image.Image, tuple[int, int]]:
        """What was painted, at its final size, and the corner it belongs at; the rest is empty and not worth reducing.

        Averaged premultiplied, or transparent black would darken every edge.
        """
        box = self.image.getbbox() or (0, 0, SUPERSAMPLING, SUPERSAMPLING)
        left, top = box[0] // SUPERSAMPLING, box[1] // SUPERSAMPLING
        painted = self.image.crop((left * SUPERSAMPLING, top * SUPERSAMPLING, box[2], box[3]))
        return painted.convert("RGBa").reduce(SUPERSAMPLING).convert("RGBA"), (left, top)

    def onto(self, picture: Image.Image) -> None:
        """Paste the layer over a picture of its size."""
        small, corner = self.reduced()
        picture.paste(small, corner, small)
