"""Purity from an audit: against SciPy's hypergeometric distribution, and by drawing thousands of audits."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import beta, hypergeom

from models.evaluation.purity import purity

AT_THE_LIMIT = (0, 1, 200)  # 5 of 200 is .025 to the last digit
AUDITS = st.integers(1, 300).flatmap(
    lambda size: st.integers(1, min(size, 40)).flatmap(
        lambda drawn: st.tuples(st.integers(0, drawn), st.just(drawn), st.just(size))
    )
)


@given(AUDITS)
@example(AT_THE_LIMIT)
def test_the_ends_are_the_last_that_the_answers_do_not_refute(audit: tuple[int, int, int]) -> None:
    yes, drawn, size = audit
    belong = np.arange(yes, size - (drawn - yes) + 1)
    tail = 0.025 * (1 + 1e-7)
    above, below = hypergeom.sf(yes - 1, size, belong, drawn), hypergeom.cdf(yes, size, belong, drawn)
    plausible = belong[(above > tail) & (below > tail)]
    found = purity(yes, drawn, size)
    assert (found.low, found.high) == (plausible.min() / size, plausible.max() / size)
    assert found.low <= found.estimate <= found.high


@pytest.mark.parametrize("size", [20, 37, 150, 2000])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.8, 0.95, 1.0])
def test_it_covers_the_truth_as_often_as_it_says(size: int, share: float) -> None:
    """4,000 audits of 20 images from clusters whose purity is known."""
    belong = round(share * size)
    drawn = np.random.default_rng(0).hypergeometric(belong, size - belong, 20, 4000)
    intervals = {yes: purity(int(yes), 20, size) for yes in np.unique(drawn)}
    covered = np.mean([intervals[yes].low <= belong / size <= intervals[yes].high for yes in drawn])
    assert covered >= 0.945  # 0.95, less one and a half standard errors of 4,000 draws


def test_known_ends() -> None:
    whole = purity(20, 20, 20)
    assert (whole.low, whole.high) == (1.0, 1.0)  # nothing is left to doubt
    huge = purity(18, 20, 10**7)
    assert huge.low == pytest.approx(beta.ppf(0.025, 18, 3), abs=1e-5)  # Clopper and Pearson's, without end
    assert huge.high == pytest.approx(beta.ppf(0.975, 19, 2), abs=1e-5)


@pytest.mark.parametrize("audit", [(0, 0, 5), (3, 2, 5), (1, 6, 5), (-1, 2, 5)])
def test_what_no_audit_gives(audit: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="can't be"):
        purity(*audit)
