"""Pictures without a bird: what a memory card holds besides, and what a clustering should call outliers."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont

from app.demo.backdrops import Size
from app.demo.canvas import Layer, oval
from app.demo.light import clouds, photograph

_TEXT = (
    "FIELD NOTES",
    "06:40  cloud breaking, wind light from the west.",
    "06:55  robin singing from the hedge by the gate.",
    "07:10  two crows over the stubble, one calling.",
    "07:32  kingfisher, low and fast along the stream,",
    "       back again after four minutes with a fish.",
    "07:50  ducks on the lower pond: three drakes, a hen.",
    "08:15  rain. Camera away, coffee.",
    "08:40  still raining. Nothing moves but the reeds.",
    "09:05  bright again; owl pellets under the old oak.",
    "09:20  battery at a third. Walk back along the dyke.",
)


def checkerboard(size: Size, rng: Generator) -> Image.Image:
    """A calibration target, held a little askew."""
    cell = round(min(size) / rng.uniform(7, 11))
    y, x = np.mgrid[: size[1] * 2, : size[0] * 2]
    board = (((x // cell) + (y // cell)) % 2 * 190 + 30).astype(np.uint8)
    turned = Image.fromarray(board).convert("RGB").rotate(rng.uniform(-12, 12), Image.Resampling.BICUBIC)
    left, top = size[0] // 2, size[1] // 2
    return turned.crop((left, top, left + size[0], top + size[1]))


def page(size: Size, rng: Generator) -> Image.Image:
    """A page of printed notes."""
    picture = Image.new("RGB", size, (238, 233, 222))
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size[1] / 21)
    for row, line in enumerate(_TEXT):
        draw.text((size[0] * 0.07, size[1] * (0.06 + 0.08 * row)), line, fill=(44, 42, 52), font=font)
    return picture.rotate(rng.uniform(-3, 3), Image.Resampling.BICUBIC, fillcolor=(206, 198, 184))


def stars(size: Size, rng: Generator) -> Image.Image:
    """A night sky with the haze of the Milky Way."""
    haze = np.clip(clouds(rng, size, (6, 4)) + 0.5 * clouds(rng, size, (18, 12)), 0, 3)[..., None]
    sky = np.clip(np.array((9, 11, 24)) + haze * (15, 14, 20), 0, 255).astype(np.uint8)
    picture = Image.fromarray(sky)
    layer = Layer(size)
    for brightness in rng.random(400) ** 5:
        x, y = rng.random(2) * size
        radius = 0.5 + 1.8 * brightness
        layer.fill(oval(x, y, radius, radius), (round(190 + 65 * brightness), 232, 248))
    layer.onto(picture)
    return picture


def colour_card(size: Size, rng: Generator) -> Image.Image:
    """Rows of colour patches on black, the last row grey steps."""
    picture = Image.new("RGB", size, (26, 26, 28))
    draw = ImageDraw.Draw(picture)
    width, height = size[0] / 6, size[1] / 4
    for row in range(4):
        for column in range(6):
            grey = 245 - column * 42
            patch = (grey, grey, grey) if row == 3 else tuple(int(c) for c in rng.integers(40, 235, 3))
            left, top = column * width + 6, row * height + 6
            draw.rectangle((left, top, left + width - 12, top + height - 12), patch)
    return picture


def bricks(size: Size, rng: Generator) -> Image.Image:
    """A wall."""
    picture = Image.new("RGB", size, (188, 180, 170))
    draw = ImageDraw.Draw(picture)
    tall, wide = size[1] / 12, size[0] / 7
    for row in range(13):
        for column in range(-1, 8):
            left = (column + row % 2 / 2) * wide
            tone = rng.normal(1, 0.09)
            colour = (round(158 * tone), round(84 * tone), round(64 * tone))
            draw.rectangle((left + 2, row * tall + 2, left + wide - 2, row * tall + tall - 2), fill=colour)
    return picture


def plot(size: Size, rng: Generator) -> Image.Image:
    """A line chart, as a screenshot that strayed among the photographs."""
    picture = Image.new("RGB", size, (252, 252, 252))
    draw = ImageDraw.Draw(picture)
    for step in range(1, 8):
        draw.line((size[0] * 0.08, size[1] * step / 8, size[0] * 0.95, size[1] * step / 8), fill=(222, 224, 228))
    x = np.linspace(0.08, 0.95, 60) * size[0]
    for colour in ((36, 104, 190), (222, 98, 44), (58, 150, 92)):
        y = np.clip(0.5 + np.cumsum(rng.normal(0, 0.035, 60)), 0.08, 0.92) * size[1]
        draw.line(list(zip(x.tolist(), y.tolist(), strict=True)), fill=colour, width=4, joint="curve")
    return picture


_ODDITIES: tuple[Callable[[Size, Generator], Image.Image], ...] = (checkerboard, page, stars, colour_card, bricks, plot)
COUNT = len(_ODDITIES)


def oddity(number: int, rng: Generator) -> Image.Image:
    """The picture without a bird of this number, 0 to COUNT - 1."""
    return photograph(_ODDITIES[number]((560, 420), rng), rng)
