"""What lies behind the bird: sky, foliage, water, snow, meadow, dusk, night; always a little out of focus.

All of it is soft, so it is drawn at half the picture's size and enlarged: a quarter of the work, and nobody can tell.
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from app.demo.canvas import Colour, oval, oval_at
from app.demo.light import clouds

Size = tuple[int, int]
Field = NDArray[np.float32]


def _gradient(size: Size, colours: tuple[Colour, ...], rng: Generator) -> Field:
    """(h, w, 3) from top to bottom through `colours`, each of them varied a little."""
    variation = rng.normal(1, 0.04, (len(colours), 1)) + rng.normal(0, 0.02, (1, 3))
    stops = np.array(colours) * variation
    y = np.linspace(0, len(colours) - 1, size[1])
    rows = np.stack([np.interp(y, np.arange(len(colours)), stops[:, c]) for c in range(3)], 1)
    return np.repeat(rows[:, None, :], size[0], 1).astype(np.float32)


def _image(field: Field) -> Image.Image:
    return Image.fromarray(np.clip(field, 0, 255).astype(np.uint8))


def backdrop(name: str, size: Size, rng: Generator) -> Image.Image:
    """The backdrop of that name at `size`, RGB."""
    half = (size[0] // 2, size[1] // 2)
    return BACKDROPS[name](half, rng).resize(size, Image.Resampling.BICUBIC)


def sky(size: Size, rng: Generator) -> Image.Image:
    """Blue with soft clouds, or an even grey day."""
    if rng.random() < 0.3:
        return _image(_gradient(size, ((206, 212, 218), (226, 229, 231), (214, 216, 216)), rng))
    base = _gradient(size, ((92, 150, 206), (148, 192, 226), (206, 224, 236)), rng)
    cover = clouds(rng, size, (5, 5)) + 0.5 * clouds(rng, size, (12, 10)) + 0.2 * clouds(rng, size, (30, 24))
    white = np.clip(cover * 0.45 + rng.uniform(-0.2, 0.3), 0, 0.85)[..., None]
    return _image(base * (1 - white) + np.float32(248) * white)


def foliage(size: Size, rng: Generator) -> Image.Image:
    """Leaves at three depths, the farther the more blurred, with discs of light between them."""
    dark, light = ((28, 58, 34), (96, 146, 62)) if rng.random() < 0.75 else ((78, 60, 30), (204, 152, 62))
    picture = _image(_gradient(size, (light, dark, dark), rng) + 16 * clouds(rng, size, (6, 5))[..., None])
    for depth, (count, reach, blur) in enumerate(((70, 0.085, 9), (60, 0.05, 5), (26, 0.035, 2.2))):
        draw = ImageDraw.Draw(picture)
        for _ in range(count):
            mix = rng.uniform(0, 1) ** 1.5
            colour = tuple(round(a + (b - a) * mix + rng.normal(0, 8)) for a, b in zip(dark, light, strict=True))
            radius = reach * size[0] * rng.uniform(0.5, 1.3)
            leaf = oval_at(rng.random(2) * size, radius, radius * rng.uniform(0.35, 0.8), rng.uniform(0, 180))
            draw.polygon(leaf.ravel().tolist(), fill=colour)
        if depth < 2:
            _bokeh(draw, size, light, rng)
        picture = picture.filter(ImageFilter.GaussianBlur(blur * size[0] / 300))
    return picture


def _bokeh(draw: ImageDraw.ImageDraw, size: Size, colour: Colour, rng: Generator) -> None:
    for _ in range(int(rng.integers(4, 14))):
        bright = tuple(min(255, round(c * rng.uniform(1.1, 1.5) + 25)) for c in colour)
        radius = size[0] * rng.uniform(0.012, 0.045)
        draw.polygon(oval_at(rng.random(2) * size, radius, radius).ravel().tolist(), fill=bright)


def water(size: Size, rng: Generator) -> Image.Image:
    """A lake with a far bank; its ripples grow towards the viewer."""
    far: Colour = (96, 124, 84) if rng.random() < 0.6 else (150, 164, 166)
    base = _gradient(size, ((120, 164, 186), (92, 144, 170), (58, 108, 138)), rng)
    near = np.linspace(0, 1, size[1], dtype=np.float32)[:, None]
    fine = clouds(rng, size, (9, max(8, size[1] // 3)))
    broad = clouds(rng, size, (5, max(6, size[1] // 7)))
    base += ((7 + 13 * near) * (fine * (1 - near) + broad * near) + 5 * fine)[..., None]
    bank = round(size[1] * rng.uniform(0.08, 0.3))
    bank_noise = (9 * clouds(rng, (size[0], bank), (31, 5)) + 8 * clouds(rng, (size[0], bank), (9, 3)))[..., None]
    base[:bank] = np.array(far, np.float32) * (0.8 + 0.25 * near[:bank, :, None]) + bank_noise
    mirrored = base[:bank][::-1][: size[1] - bank]
    base[bank : bank + len(mirrored)] = base[bank : bank + len(mirrored)] * 0.62 + mirrored * 0.38
    return _image(base).filter(ImageFilter.GaussianBlur(0.8))


def snow(size: Size, rng: Generator) -> Image.Image:
    """A white field under a pale sky, bare trees in the haze."""
    picture = _image(_gradient(size, ((188, 200, 214), (216, 224, 232), (238, 242, 246)), rng))
    draw = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(3, 11))):
        x, thick = rng.uniform(0, size[0]), size[0] * rng.uniform(0.008, 0.03)
        grey = round(rng.uniform(120, 170))
        draw.line(
            [(x, 0), (x + rng.normal(0, 6), size[1] * 0.58)],
            fill=(grey, grey + 4, grey + 10),
            width=max(1, round(thick)),
        )
    field = _image(
        _gradient(size, ((226, 232, 242), (240, 243, 248), (222, 230, 242)), rng)
        + 5 * clouds(rng, size, (7, 22))[..., None]
    )
    line = round(size[1] * rng.uniform(0.5, 0.62))
    picture.paste(field.crop((0, line, *size)), (0, line))
    return picture.filter(ImageFilter.GaussianBlur(rng.uniform(2, 4)))


def meadow(size: Size, rng: Generator) -> Image.Image:
    """Grass up to a soft horizon, with flowers of one colour in it."""
    line = round(size[1] * rng.uniform(0.25, 0.5))
    base = _gradient(size, ((176, 202, 214), (126, 158, 82), (88, 130, 54)), rng)
    base[:line] = _gradient((size[0], line), ((168, 202, 226), (214, 226, 222)), rng)
    base[line:] += 12 * clouds(rng, (size[0], size[1] - line), (90, 9))[..., None]
    picture = _image(base)
    draw = ImageDraw.Draw(picture)
    flower = ((238, 208, 70), (236, 236, 240), (190, 96, 160), (216, 78, 62))[int(rng.integers(4))]
    for _ in range(int(rng.integers(0, 50))):
        y = rng.uniform(line, size[1])
        radius = 0.8 + 3.5 * (y - line) / size[1]
        draw.polygon(oval(rng.uniform(0, size[0]), y, radius, radius * 0.7).ravel().tolist(), fill=flower)
    return picture.filter(ImageFilter.GaussianBlur(rng.uniform(1.5, 2.5)))


def dusk(size: Size, rng: Generator) -> Image.Image:
    """A low sun behind hills."""
    picture = _image(
        _gradient(size, ((86, 88, 130), (206, 130, 116), (246, 190, 116)), rng)
        + 6 * clouds(rng, size, (4, 16))[..., None]
    )
    draw = ImageDraw.Draw(picture)
    x, y, radius = rng.uniform(0, size[0]), size[1] * rng.uniform(0.35, 0.7), size[0] * rng.uniform(0.03, 0.07)
    draw.polygon(oval(x, y, radius, radius).ravel().tolist(), fill=(255, 226, 160))
    across = np.linspace(0, size[0], 24)
    for height, colour in ((0.7, (134, 96, 110)), (0.8, (92, 70, 88))):
        ridge = size[1] * (height + 0.05 * np.cumsum(rng.normal(0, 0.25, 24)))
        hills = [*zip(across.tolist(), ridge.tolist(), strict=True), (size[0], size[1]), (0, size[1])]
        draw.polygon(hills, fill=colour)
    return picture.filter(ImageFilter.GaussianBlur(rng.uniform(1.5, 3)))


def night(size: Size, rng: Generator) -> Image.Image:
    """Moonlit blue with a few stars and the moon."""
    picture = _image(
        _gradient(size, ((22, 30, 58), (34, 48, 82), (54, 66, 92)), rng) + 5 * clouds(rng, size, (5, 5))[..., None]
    )
    draw = ImageDraw.Draw(picture)
    for _ in range(40):
        glow = round(rng.uniform(120, 220))
        draw.polygon(oval_at(rng.random(2) * size, 0.8, 0.8).ravel().tolist(), fill=(glow, glow, glow))
    radius = size[0] * rng.uniform(0.05, 0.09)
    moon = oval(size[0] * rng.uniform(0.1, 0.9), size[1] * rng.uniform(0.1, 0.35), radius, radius)
    draw.polygon(moon.ravel().tolist(), fill=(238, 234, 212))
    return picture.filter(ImageFilter.GaussianBlur(0.7))


BACKDROPS: dict[str, Callable[[Size, Generator], Image.Image]] = {
    "sky": sky,
    "foliage": foliage,
    "water": water,
    "snow": snow,
    "meadow": meadow,
    "dusk": dusk,
    "night": night,
}
