"""A scene that looks different from every side, written in every format, and the measure to compare copies by."""

from io import BytesIO

import numpy as np
import pillow_heif
import simplejpeg
from PIL import Image

PILLOW_NAMES = {
    "jpeg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "tiff": "TIFF", "bmp": "BMP", "heic": "HEIF",
    "avif": "AVIF",
}  # fmt: skip


def scene(width: int = 300, height: int = 200) -> Image.Image:
    """RGB: colours that run across, three blobs off centre and no symmetry."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    blob = np.exp(-((x - 0.25) ** 2 + (y - 0.2) ** 2) * 30)
    red = 60 + 150 * x + 40 * np.sin(9 * y)
    green = 40 + 180 * blob + 30 * y
    blue = 200 - 160 * y * x + 30 * np.cos(11 * x)
    return Image.fromarray(np.stack([red, green, blue], axis=-1).clip(0, 255).astype(np.uint8))


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    """The file's bytes; options are those of Pillow's save, exif as Image.Exif or bytes."""
    if format == "heic":
        pillow_heif.register_heif_opener()
    if isinstance(options.get("exif"), Image.Exif):
        options["exif"] = options["exif"].tobytes()  # in any other form pillow_heif leaves the orientation out
    buffer = BytesIO()
    image.save(buffer, PILLOW_NAMES[format], **options)
    return buffer.getvalue()


def pixels(jpeg: bytes) -> np.ndarray:
    """(H, W, 3) float64"""
    return simplejpeg.decode_jpeg(jpeg).astype(np.float64)


def cosine(first: np.ndarray, second: np.ndarray) -> float:
    """Of the deviations from each one's mean, which is stricter than of the values: two greys agree in those."""
    a, b = (array.ravel() - array.mean() for array in (first, second))
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))
