"""Every random number of a run follows from its seed and its place, so that there is no generator's state to save."""

from __future__ import annotations

import hashlib

import torch


def seed_of(*place: int | str) -> int:
    """A 63-bit seed for a place such as (run seed, "step", 17)."""
    digest = hashlib.blake2b(repr(place).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator(*place: int | str) -> torch.Generator:
    """A CPU generator of its own for a place."""
    return torch.Generator().manual_seed(seed_of(*place))
