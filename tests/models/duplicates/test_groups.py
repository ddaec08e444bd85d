"""Groups of pairs."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.duplicates.groups import connected

PAIRS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.floats(0.3, 1)), max_size=40)


@given(PAIRS)
def test_groups_are_what_spreading_along_pairs_reaches(drawn: list[tuple[int, int, float]]) -> None:
    pairs = [(a, b, s) for a, b, s in drawn if a != b]
    first, second = (np.array([pair[end] for pair in pairs], np.int64) for end in (0, 1))
    similarity = np.array([pair[2] for pair in pairs])
    groups = connected(first, second, similarity)
    reached: dict[int, set[int]] = {}
    for a, b, _ in pairs:
        together = reached.get(a, {a}) | reached.get(b, {b})
        reached |= dict.fromkeys(together, together)
    found = [groups.members[a:b].tolist() for a, b in zip(groups.starts[:-1], groups.starts[1:], strict=True)]
    assert {frozenset(group) for group in found} == {frozenset(group) for group in reached.values()}
    assert found == sorted(found, key=lambda group: (-len(group), min(group)))
    assert all(group == sorted(group) for group in found)
    for row, best in zip(groups.members.tolist(), groups.best.tolist(), strict=True):
        assert row in pairs[best][:2]
        assert pairs[best][2] == max(s for a, b, s in pairs if row in (a, b))
