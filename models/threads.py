"""How many threads a piece of maths gets."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

SMALL = 5000  # vectors below which threads wait for each other longer than they work: 20 times on a busy machine


def threads_for(vectors: int) -> AbstractContextManager[object]:
    """Within the block BLAS, FAISS and OpenMP compute on one thread if there are few vectors, and else on all."""
    from threadpoolctl import threadpool_limits

    limited: AbstractContextManager[object] = threadpool_limits(1) if vectors < SMALL else nullcontext()
    return limited
