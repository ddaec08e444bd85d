"""One progress over the stages of a run, each with its share of the whole."""

from __future__ import annotations

from models.clustering.base import Progress

STEPS = 1000  # a whole run, whatever its stages


def stages(progress: Progress | None, *shares: float) -> list[Progress]:
    """One progress for each share, to be used one after the other; together they rise from 0 to STEPS of STEPS.

    Each is told (done, total) of its own stage, done up to total; a stage of total 0 is over at once.
    """
    whole, begun, parts = sum(shares), 0.0, []
    for share in shares:
        parts.append(_part(progress, round(STEPS * begun / whole), round(STEPS * (begun + share) / whole)))
        begun += share
    return parts


def _part(progress: Progress | None, start: int, stop: int) -> Progress:
    def report(done: int, total: int) -> None:
        if progress is not None:
            progress(start + (stop - start) * done // total if total else stop, STEPS)

    return report
