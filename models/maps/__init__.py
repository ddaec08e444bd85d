"""Maps: two coordinates for every image, so that images that look alike lie together."""

from __future__ import annotations

from models.maps.placing import place
from models.maps.projection import project

__all__ = ["place", "project"]
