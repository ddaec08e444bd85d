"""Light: rounding a flat painted bird, and the exposure, tint, blur and grain of a photograph."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageFilter


def clouds(rng: Generator, size: tuple[int, int], cells: tuple[int, int]) -> NDArray[np.float32]:
    """Smooth noise of about unit variance: (height, width) from a coarse random grid of `cells` (across, down)."""
    grid = rng.standard_normal((cells[1], cells[0]), dtype=np.float32)
    return np.asarray(Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC), dtype=np.float32)


def inflate(image: Image.Image, length: float, rng: Generator) -> Image.Image:
    """Shade a flat RGBA picture as if it were a rounded relief lit from above, with a grain of feathers.

    The relief's height is the blurred alpha at two radii; `length` is the body's in pixels.
    """
    alpha = image.getchannel("A")
    height = sum(np.asarray(alpha.filter(ImageFilter.BoxBlur(length * r)), dtype=np.float32) * r for r in (0.05, 0.12))
    slope_y, slope_x = np.gradient(np.asarray(height))
    side = rng.uniform(-0.6, 0.6)
    light = 1.03 + np.clip((slope_y + side * slope_x) * 0.36, -0.42, 0.32)
    grain = clouds(rng, image.size, (max(4, image.width // 9), max(4, image.height // 4)))
    rgb = np.asarray(image.convert("RGB"), dtype=np.float32) * (light * (1 + 0.035 * grain))[..., None]
    shaded = Image.fromarray(np.clip(rgb, 0, 255).astype(np.uint8))
    shaded.putalpha(alpha)
    return shaded


def photograph(picture: Image.Image, rng: Generator) -> Image.Image:
    """The picture as a camera might have taken it: exposure, white balance, vignette, softness, sensor grain."""
    if rng.random() < 0.2:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 1.3)))
    width, height = picture.size
    warmth, contrast = rng.normal(0, 0.035), rng.normal(1.0, 0.06)
    gain = np.array([1 + warmth, 1.0, 1 - warmth], np.float32) * np.float32(contrast * np.exp(rng.normal(0, 0.1)))
    x, y = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)
    vignette = 1 - np.float32(rng.uniform(0.03, 0.2) / 2) * np.add.outer(y * y, x * x)
    noise = rng.standard_normal((height, width), dtype=np.float32) * np.float32(rng.uniform(1, 5.5))
    pixels = np.asarray(picture, dtype=np.float32) * gain
    pixels *= vignette[..., None]
    pixels += (noise + np.float32(127.5 * (1 - contrast)))[..., None]
    return Image.fromarray(np.clip(pixels, 0, 255, out=pixels).astype(np.uint8))
