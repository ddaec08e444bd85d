"""Pixels: what is a picture, and its working copy."""

from __future__ import annotations

from models.images.decode import WORKING_SIZE
from models.images.header import FORMATS, MAX_FRAMES, MAX_PIXELS, Header, check_header, claimed_format, sniff
from models.images.normalise import WorkingCopy, halved, normalise, render
from models.images.rejection import ImageRejected

__all__ = [
    "FORMATS",
    "MAX_FRAMES",
    "MAX_PIXELS",
    "WORKING_SIZE",
    "Header",
    "ImageRejected",
    "WorkingCopy",
    "check_header",
    "claimed_format",
    "halved",
    "normalise",
    "render",
    "sniff",
]
