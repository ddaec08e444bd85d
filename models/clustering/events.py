"""Events: pictures that one camera took in quick succession, to be clustered as one.

Frames of a burst are no independent witnesses: ten of one animal weigh as much as ten animals, and a cluster of its own
is likelier than any that means something.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray


def units(times: NDArray[np.float64], cameras: Sequence[Hashable | None], gap_s: float) -> NDArray[np.int32]:
    """(N,) seconds, NaN when unknown, and N cameras, None when unknown -> (N,) the event of each, 0 to U - 1.

    Pictures of one camera belong together while each follows the one before within `gap_s` seconds. Without time or
    camera a picture is alone. Events are numbered by their first row.
    """
    if gap_s < 0:
        raise ValueError(f"gap_s must not be negative, not {gap_s}")
    codes: dict[Hashable, int] = {}
    camera = np.array([-1 if one is None else codes.setdefault(one, len(codes)) for one in cameras], np.int64)
    alone = np.isnan(times) | (camera < 0)
    order = np.lexsort((times, camera))
    begins = np.ones(len(order), bool)
    with np.errstate(invalid="ignore"):
        follows = (np.diff(camera[order]) == 0) & (np.diff(times[order]) <= gap_s)
    begins[1:] = ~follows | alone[order][1:] | alone[order][:-1]
    event = np.empty(len(order), np.int64)
    event[order] = np.cumsum(begins) - 1
    firsts, inverse = np.unique(event, return_index=True, return_inverse=True)[1:]
    rank = np.empty(len(firsts), np.int32)
    rank[np.argsort(firsts)] = np.arange(len(firsts))
    return rank[inverse]
