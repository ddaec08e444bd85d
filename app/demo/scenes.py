"""One whole picture: a backdrop, a bird in a pose, what it sits on or swims in, and what stands before it."""

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from app.demo.anatomy import Sprite, paint, pose
from app.demo.backdrops import backdrop as behind
from app.demo.canvas import Colour, Frame, Layer, Points, oval, oval_at, taper
from app.demo.kind import Kind
from app.demo.light import photograph

SIZES = ((480, 360), (512, 384), (560, 420), (640, 480), (540, 360), (600, 400), (440, 440), (360, 480), (384, 512))

_BARK: tuple[Colour, ...] = ((94, 74, 58), (120, 102, 84), (72, 60, 52))
_LEAVES: tuple[Colour, ...] = ((84, 128, 56), (112, 146, 64), (70, 108, 58), (150, 136, 58))


def scene(kind: Kind, rng: Generator) -> Image.Image:
    """A picture of one bird of `kind`, RGB; everything in it comes from `rng`."""
    size = SIZES[int(rng.integers(len(SIZES)))]
    perch, backdrop = kind.settings[int(rng.integers(len(kind.settings)))]
    if rng.random() < 0.25 and perch in ("branch", "ground"):
        strange = ("snow", "meadow") if perch == "ground" else ("sky", "foliage", "snow", "meadow", "water", "dusk")
        backdrop = strange[int(rng.integers(len(strange)))]
    picture = behind(backdrop, size, rng)
    length = min(size) * rng.uniform(0.46, 0.95) / kind.span
    sprite = paint(kind, pose(kind, length, perch, rng), rng)
    corner = _place(size, sprite, perch, rng)
    _PERCHES[perch](picture, sprite, corner, backdrop, rng)
    if backdrop == "snow" and rng.random() < 0.5:
        _snowfall(picture, rng)
    if rng.random() < 0.22:
        _leaves_before(picture, rng)
    return photograph(picture, rng)


def _place(size: tuple[int, int], sprite: Sprite, perch: str, rng: Generator) -> tuple[int, int]:
    """The sprite's upper left corner: near the middle, what stands or swims low enough to be below the horizon."""
    room = np.array(size) - sprite.image.size
    x, y = room / 2 + rng.uniform(-0.34, 0.34, 2) * np.maximum(room, np.array(size) * 0.06)
    if perch in ("ground", "afloat", "shallows"):
        base = sprite.waterline if perch == "afloat" else sprite.foot[1]
        y = max(y, min(room[1], size[1] * rng.uniform(0.68, 0.86) - base))
    return round(x), round(y)


def _put(picture: Image.Image, image: Image.Image, corner: tuple[int, int]) -> None:
    picture.paste(image, corner, image)


def _on_branch(picture: Image.Image, sprite: Sprite, corner: tuple[int, int], backdrop: str, rng: Generator) -> None:
    """A branch right across the picture under the feet; some of its leaves hang before the bird."""
    width = picture.width
    foot = np.array(corner) + sprite.foot
    thick = width * rng.uniform(0.018, 0.034)
    slope = rng.normal(0, 0.09)
    across = np.array((-20, foot[0] * 0.5, foot[0], (foot[0] + width) / 2, width + 20))
    bends = rng.normal(0, width * 0.012, 5) * (1, 1, 0, 1, 1)
    spine = np.stack([across, foot[1] + thick * 0.42 + slope * (across - foot[0]) + bends], 1)
    layer = Layer(picture.size)
    bark = _BARK[int(rng.integers(len(_BARK)))]
    bare = backdrop in ("snow", "dusk", "night")
    for _ in range(int(rng.integers(2, 5))):
        _twig(layer, spine[int(rng.integers(5))], thick, bark, bare, rng)
    widths = (thick * 1.25, thick * 1.15, thick, thick * 0.92, thick * 0.85)
    outline = taper(spine, widths)
    layer.fill(outline, bark)
    bough = layer.mask([outline])
    for shift, colour in ((-0.36, _scaled(bark, 1.28)), (0.4, _scaled(bark, 0.62))):
        stripe = taper(_shifted(spine, 0, thick * shift), [thick * 0.34] * 5)
        layer.shade(stripe, colour, soft=thick * 0.2, opacity=0.8, within=bough)
    if backdrop == "snow":
        layer.shade(taper(_shifted(spine, 0, thick * -0.48), [thick * 0.4] * 5), (244, 247, 251), soft=thick * 0.1)
    layer.onto(picture)
    _put(picture, sprite.image, corner)


def _twig(layer: Layer, root: Points, thick: float, bark: Colour, bare: bool, rng: Generator) -> None:
    reach, angle = thick * rng.uniform(4, 9), rng.uniform(-150, -30) + (180 if rng.random() < 0.35 else 0)
    frame = Frame.at(_shifted(root, rng.normal(0, thick * 4), 0), angle, reach)
    layer.fill(frame(taper([(0, 0), (0.5, 0.06), (1, 0)], (0.09, 0.06, 0.03))), _scaled(bark, 0.9))
    if bare:
        return
    leaf = _LEAVES[int(rng.integers(len(_LEAVES)))]
    for along in (0.4, 0.6, 0.78, 0.97):
        side = Frame.at((along, 0.0), rng.uniform(20, 60) * (1 if rng.random() < 0.5 else -1), rng.uniform(0.3, 0.46))
        at = side.inside(frame)
        tone = _scaled(leaf, rng.uniform(0.82, 1.2))
        layer.fill(at(taper([(0, 0), (0.5, 0.05), (1, 0)], (0.02, 0.34, 0.42, 0.26, 0.0))), tone)
        layer.fill(at(taper([(0, 0), (0.5, 0.05), (0.9, 0)], (0.03, 0.03, 0.01))), _scaled(tone, 0.78))


def _on_ground(picture: Image.Image, sprite: Sprite, corner: tuple[int, int], backdrop: str, rng: Generator) -> None:
    """A soft shadow under the feet; in a meadow, blades of grass before them."""
    foot = np.array(corner) + sprite.foot
    layer = Layer(picture.size)
    reach = sprite.image.width * 0.32
    cold = (70, 84, 116) if backdrop == "snow" else (32, 44, 22)
    layer.shade(oval(foot[0], foot[1] + 2, reach, reach * 0.16), cold, soft=reach * 0.12, opacity=0.5)
    layer.onto(picture)
    _put(picture, sprite.image, corner)
    if backdrop == "snow":
        return
    grass = Layer(picture.size)
    for _ in range(int(rng.integers(50, 110))):
        x, tall = rng.uniform(0, picture.width), picture.height * rng.uniform(0.03, 0.1)
        low = foot[1] + rng.uniform(0.02, 0.14) * picture.height
        lean = rng.normal(0, tall * 0.4)
        blade = taper([(x, low), (x + lean * 0.3, low - tall * 0.6), (x + lean, low - tall)], (3.6, 2.6, 0.3), 4)
        grass.fill(blade, _scaled((96, 142, 58), rng.uniform(0.7, 1.25)))
    grass.onto(picture)


def _afloat(picture: Image.Image, sprite: Sprite, corner: tuple[int, int], backdrop: str, rng: Generator) -> None:
    """The bird down to its waterline, its reflection broken by ripples, rings about it."""
    line = round(corner[1] + sprite.waterline)
    upper = sprite.image.crop((0, 0, sprite.image.width, round(sprite.waterline)))
    _pond(picture, line, backdrop, rng)
    _reflect(picture, upper, (corner[0], line), 0.42, rng)
    _put(picture, upper, corner)
    _rings(picture, (corner[0] + upper.width / 2, line), upper.width * 0.5, rng)


def _wading(picture: Image.Image, sprite: Sprite, corner: tuple[int, int], backdrop: str, rng: Generator) -> None:
    """The feet under a finger's breadth of water."""
    depth = round(sprite.image.height * 0.035)
    line = round(corner[1] + sprite.foot[1]) - depth
    upper = sprite.image.crop((0, 0, sprite.image.width, round(sprite.foot[1]) - depth))
    _pond(picture, line, backdrop, rng)
    _reflect(picture, upper, (corner[0], line), 0.36, rng)
    _put(picture, upper, corner)
    _rings(picture, (corner[0] + sprite.foot[0], line), upper.width * 0.3, rng)


def _pond(picture: Image.Image, line: int, backdrop: str, rng: Generator) -> None:
    """Where the backdrop has no water of its own, its mirror image from a shore a little above `line`."""
    if backdrop == "water":
        return
    shore = max(1, line - round(picture.height * rng.uniform(0.04, 0.16)))
    mirrored = picture.crop((0, max(0, 2 * shore - picture.height), picture.width, shore)).transpose(
        Image.Transpose.FLIP_TOP_BOTTOM
    )
    picture.paste(Image.blend(mirrored, Image.new("RGB", mirrored.size, (64, 84, 104)), 0.35), (0, shore))
    _rings(picture, (picture.width * rng.random(), shore + 12), picture.width * 0.8, rng)


def _reflect(
    picture: Image.Image, upper: Image.Image, corner: tuple[int, int], strength: float, rng: Generator
) -> None:
    mirror = upper.transpose(Image.Transpose.FLIP_TOP_BOTTOM).filter(ImageFilter.BoxBlur((1, 3)))
    rows = np.asarray(mirror).copy()
    wave = np.rint(2.4 * np.sin(np.arange(len(rows)) * rng.uniform(0.5, 0.8) + rng.uniform(0, 6))).astype(int)
    columns = (np.arange(rows.shape[1])[None, :] + wave[:, None]) % rows.shape[1]
    mirror = Image.fromarray(np.take_along_axis(rows, columns[..., None], 1))
    mirror.putalpha(ImageChops.multiply(mirror.getchannel("A"), Image.new("L", mirror.size, round(255 * strength))))
    _put(picture, mirror, corner)


def _rings(picture: Image.Image, centre: tuple[float, float], reach: float, rng: Generator) -> None:
    layer = Layer(picture.size)
    for _ in range(9):
        x, y = centre[0] + rng.normal(0, reach * 0.5), centre[1] + abs(rng.normal(0, reach * 0.12))
        half = reach * rng.uniform(0.15, 0.5)
        layer.shade(oval(x, y, half, 1.6), (226, 238, 244), soft=1.2, opacity=rng.uniform(0.25, 0.6))
    layer.onto(picture)


def _in_air(picture: Image.Image, sprite: Sprite, corner: tuple[int, int], backdrop: str, rng: Generator) -> None:
    """Hovering; often at a flower that reaches in from the side the bird is turned to."""
    if rng.random() < 0.65:
        at = (corner[0] + sprite.image.width * rng.uniform(0.02, 0.98), corner[1] + sprite.image.height * 0.5)
        _flower(picture, np.array(at), rng)
    _put(picture, sprite.image, corner)


def _flower(picture: Image.Image, at: Points, rng: Generator) -> None:
    layer = Layer(picture.size)
    size = min(picture.size) * rng.uniform(0.08, 0.13)
    petal = ((228, 92, 128), (240, 150, 60), (176, 110, 200), (240, 220, 110))[int(rng.integers(4))]
    bend, root = _shifted(at, rng.normal(0, 20), size * 2), _shifted(at, rng.normal(0, 60), picture.height)
    stem = taper([at, bend, root], (5, 6, 8))
    layer.fill(stem, (76, 116, 58))
    for angle in range(0, 360, 60):
        frame = Frame.at(at, angle + rng.normal(0, 6), size)
        outline = frame(taper([(0, 0), (0.5, 0), (1, 0)], (0.1, 0.5, 0.6, 0.4, 0.0)))
        layer.fill(outline, _scaled(petal, rng.uniform(0.85, 1.1)))
    layer.fill(oval_at(at, size * 0.22, size * 0.22), (236, 198, 70))
    layer.onto(picture)


def _snowfall(picture: Image.Image, rng: Generator) -> None:
    layer = Layer(picture.size)
    for _ in range(int(rng.integers(20, 70))):
        radius = rng.uniform(1, 4)
        flake = oval_at(rng.random(2) * picture.size, radius, radius)
        layer.shade(flake, (252, 253, 255), soft=radius * 0.5, opacity=0.8)
    layer.onto(picture)


def _leaves_before(picture: Image.Image, rng: Generator) -> None:
    """Leaves close to the lens, far out of focus, reaching in from one side and sometimes across the bird."""
    small = (picture.width // 3, picture.height // 3)
    veil = Image.new("RGBA", small, (*_LEAVES[0], 0))
    draw = ImageDraw.Draw(veil)
    tone = _LEAVES[int(rng.integers(len(_LEAVES)))]
    root = np.array([(0, 0), (small[0], 0), (0, small[1]), small][int(rng.integers(4))])
    for _ in range(int(rng.integers(3, 8))):
        centre = root + rng.normal(0, 0.22, 2) * small
        leaf = oval_at(
            centre, small[0] * rng.uniform(0.08, 0.2), small[0] * rng.uniform(0.03, 0.07), rng.uniform(0, 180)
        )
        draw.polygon(leaf.ravel().tolist(), fill=(*_scaled(tone, rng.uniform(0.6, 1.2)), 225))
    _put(picture, veil.filter(ImageFilter.BoxBlur(small[0] * 0.02)).resize(picture.size), (0, 0))


def _shifted(points: Points, x: float, y: float) -> Points:
    return np.asarray(points + np.array((x, y)))


def _scaled(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255, round(c * factor)) for c in colour)
    return red, green, blue


_PERCHES = {"branch": _on_branch, "ground": _on_ground, "afloat": _afloat, "shallows": _wading, "air": _in_air}
