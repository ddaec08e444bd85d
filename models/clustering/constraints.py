"""Corrections applied to a new run: must-links, cannot-links and names carried over from the run before.

A group is a cluster of the earlier run that a person has touched. Of each image it is known which group its cluster was
then (soft: the algorithm put it there), and of some what a person said of that very image (hard: belongs; never: does
not). The constraints are put on whole clusters where they can be, so that a better run is not bent to an old one's
mistakes, and on single images where a person spoke of single images:

1. A group's home is the new cluster that holds most of its images. It takes the group's name.
2. Groups that have one home divide it (a cannot-link), and so do a group and the rest of a home that is mostly others':
   images known then go where they were, new ones to the nearest mean.
3. A cluster that is no home and more than half of whose known images were of one group joins it (a must-link).
4. Images of groups that were split from each other never share a cluster; they go back to their own.
5. A hard image is in its group's cluster, and an excluded one never: it goes to the nearest centre that is left.

Constraints on pairs (Wagstaff and others 2001, COP-KMeans) would have to hold inside each algorithm; these hold after
any.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.clustering.base import OUTLIER, Clustering
from models.clustering.result import mean_directions
from models.clustering.unit_vectors import unit_rows

NO_GROUP = -1  # was in a cluster that nobody touched
UNKNOWN = -2  # was not there, or in no cluster
OUTSIDE = -1  # hard: in no cluster at all
RETIRED = -1  # a centre that stands for no cluster any more


@dataclass(frozen=True, eq=False)
class Carried:
    """A run with the corrections applied. The run's clusters keep their numbers, some may be empty; new ones follow.

    labels     (N,) int32, the cluster of each image; -1 is none
    distances  (N,) float32, cosine distance to the centre that the run gave the image; of one that left it, to the
               nearest centre of its cluster now, or in no cluster, to the nearest of all
    groups     (K,) int32, the group that each cluster is, or NO_GROUP
    homes      (C,) int32, the cluster that each centre stands for, or RETIRED; the run's own centres come first
    centres    (C, D) float32, L2-normalised
    """

    labels: NDArray[np.int32]
    distances: NDArray[np.float32]
    groups: NDArray[np.int32]
    homes: NDArray[np.int32]
    centres: NDArray[np.float32]


def carry(
    vectors: NDArray[np.float32],
    run: Clustering,
    soft: NDArray[np.int32],
    groups: int,
    hard: Mapping[int, int],
    never: Collection[tuple[int, int]] = (),
    apart: Collection[tuple[int, int]] = (),
) -> Carried:
    """(N, D) embeddings and a new run on them -> the run with the corrections of an earlier one.

    soft   (N,) the group 0 to `groups` - 1 that the image's cluster was, NO_GROUP or UNKNOWN
    hard   row -> its group, or OUTSIDE
    never  (row, group) pairs; none of them may be in `hard`
    apart  pairs of groups that were split from each other
    Raises VectorsUnusable; ValueError when the lengths differ or a pair is both hard and never.
    """
    if not len(vectors) == len(run.labels) == len(soft):
        raise ValueError(f"{len(vectors)} vectors, {len(run.labels)} labels and {len(soft)} known groups")
    if contradiction := [pair for pair in never if hard.get(pair[0]) == pair[1]]:
        raise ValueError(f"row {contradiction[0][0]} both belongs to group {contradiction[0][1]} and does not")
    state = _Run(unit_rows(vectors), run, _owned(soft, hard), groups)
    state.take_homes()
    state.join_the_rest()
    state.keep_apart(_symmetric(apart, groups))
    state.place(hard)
    state.exclude(never, hard, _symmetric(apart, groups))
    return state.result(run)


def _owned(soft: NDArray[np.int32], hard: Mapping[int, int]) -> NDArray[np.int32]:
    """(N,) the group of each image, what was said of it itself first."""
    owner = soft.astype(np.int32, copy=True)
    for row, group in hard.items():
        owner[row] = UNKNOWN if group == OUTSIDE else group
    return owner


def _symmetric(apart: Collection[tuple[int, int]], groups: int) -> NDArray[np.bool_]:
    table = np.zeros((groups, groups), bool)
    for one, other in apart:
        table[one, other] = table[other, one] = one != other
    return table


class _Run:
    """The clusters while they are corrected."""

    def __init__(self, vectors: NDArray[np.float32], run: Clustering, owner: NDArray[np.int32], groups: int) -> None:
        self.vectors, self.owner, self.labels = vectors, owner, run.labels.astype(np.int32, copy=True)
        self.cluster_of = np.full(groups, OUTLIER, np.int32)  # of each group
        self.groups = [NO_GROUP] * run.k  # of each cluster
        self.homes = list(range(run.k))
        self.centres = list(run.centres)
        placed = (self.labels != OUTLIER) & (owner != UNKNOWN)
        self.known = np.bincount(self.labels[placed], minlength=run.k)
        owned = placed & (owner != NO_GROUP)
        self.overlap = np.zeros((run.k, groups), np.int64)
        np.add.at(self.overlap, (self.labels[owned], owner[owned]), 1)

    def take_homes(self) -> None:
        """Give each group that has images its one cluster."""
        present = np.bincount(self.owner[self.owner >= 0], minlength=len(self.cluster_of)) > 0
        best = self.overlap.argmax(axis=0) if len(self.groups) else np.zeros(0, np.int64)
        lost = self.overlap.sum(axis=0) == 0  # the run has left all its images out
        for group in np.flatnonzero(present & lost):
            rows = np.flatnonzero(self.owner == group)
            self._new_cluster(rows, int(group))
        for cluster in np.unique(best[present & ~lost]):
            claimants = np.flatnonzero(present & ~lost & (best == cluster))
            others = self.known[cluster] - self.overlap[cluster].sum()
            rest = bool(others > self.overlap[cluster, claimants].sum())
            if len(claimants) == 1 and not rest:
                self._name(int(cluster), int(claimants[0]))
            else:
                self._divide(int(cluster), claimants, rest)

    def _name(self, cluster: int, group: int) -> None:
        self.groups[cluster] = group
        self.cluster_of[group] = cluster

    def _new_cluster(self, rows: NDArray[np.int64], group: int) -> None:
        self.groups.append(NO_GROUP)
        number = len(self.groups) - 1
        self.labels[rows] = number
        self._add_centre(rows, number)
        self._name(number, group)

    def _add_centre(self, rows: NDArray[np.int64], number: int) -> None:
        self.centres.append(self._mean(rows))
        self.homes.append(number)

    def _mean(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        mean: NDArray[np.float32] = mean_directions(self.vectors[rows], np.zeros(len(rows), np.int32))[0]
        return mean

    def _divide(self, cluster: int, claimants: NDArray[np.int64], rest: bool) -> None:
        """Divide a cluster among groups; the others' part, or the biggest, keeps the number."""
        rows = np.flatnonzero(self.labels == cluster)
        owner = self.owner[rows]
        means = [self._mean(np.flatnonzero(self.owner == group)) for group in claimants]
        parties = [int(group) for group in claimants]
        if rest:
            parties.append(NO_GROUP)
            means.append(self._mean(rows[owner == NO_GROUP]))
        part = (self.vectors[rows] @ np.stack(means).T).argmax(axis=1)
        for place, party in enumerate(parties):
            part[owner == party] = place
        keeper = len(parties) - 1 if rest else int(np.bincount(part).argmax())
        self.homes[cluster] = RETIRED
        for place, party in enumerate(parties):
            if place != keeper:
                self._new_cluster(rows[part == place], party)
                continue
            self._add_centre(rows[part == place], cluster)
            if party != NO_GROUP:
                self._name(cluster, party)

    def join_the_rest(self) -> None:
        """Clusters of the run that are no home, and mostly of one group, join it."""
        if not len(self.cluster_of):
            return
        best = self.overlap.argmax(axis=1)
        most = 2 * self.overlap.max(axis=1) > self.known
        for cluster in np.flatnonzero(most):
            target = self.cluster_of[best[cluster]]
            if self.groups[cluster] != NO_GROUP or self.homes[cluster] == RETIRED or target == OUTLIER:
                continue
            self.labels[self.labels == cluster] = target
            self.homes[cluster] = int(target)

    def keep_apart(self, apart: NDArray[np.bool_]) -> None:
        """Images that the run put together with those of another part of a split go back to their own group."""
        mixed = (self._present().astype(np.float32) @ apart) > 0  # (K, G): where a group may not be
        known = np.flatnonzero((self.labels != OUTLIER) & (self.owner >= 0))
        own = self.cluster_of[self.owner[known]]
        rows = known[mixed[self.labels[known], self.owner[known]] & (self.labels[known] != own)]
        self.labels[rows] = self.cluster_of[self.owner[rows]]

    def _present(self, but: Collection[int] = ()) -> NDArray[np.bool_]:
        """(K, G) whether a cluster is a group or has an image that was in it."""
        present = np.zeros((len(self.groups), len(self.cluster_of)), bool)
        for cluster, group in enumerate(self.groups):
            if group != NO_GROUP:
                present[cluster, group] = True
        counted = (self.labels != OUTLIER) & (self.owner >= 0)
        counted[list(but)] = False
        present[self.labels[counted], self.owner[counted]] = True
        return present

    def _group_of_labels(self) -> NDArray[np.int32]:
        table = np.array([*self.groups, NO_GROUP], np.int32)  # the last one is for OUTLIER
        return np.asarray(table[self.labels])

    def place(self, hard: Mapping[int, int]) -> None:
        for row, group in hard.items():
            self.labels[row] = OUTLIER if group == OUTSIDE else self.cluster_of[group]

    def exclude(self, never: Collection[tuple[int, int]], hard: Collection[int], apart: NDArray[np.bool_]) -> None:
        """Move an image out of clusters it must not be in, to the nearest centre that is left, or to no cluster."""
        forbidden: dict[int, set[int]] = {}
        for row, group in never:
            forbidden.setdefault(row, set()).add(group)
        group_of = self._group_of_labels()
        wrong = [row for row in sorted(forbidden) if group_of[row] in forbidden[row]]
        if not wrong:
            return
        centres, homes = np.stack(self.centres), np.array(self.homes)
        filled = np.bincount(self.labels[self.labels >= 0], minlength=len(self.groups)) > 0
        usable = (homes != RETIRED) & filled[homes]
        group_of_centre = np.array([*self.groups, NO_GROUP])[homes]
        present = self._present(but=[*hard, *wrong])
        for row in wrong:
            own = int(self.owner[row])
            may = usable & ~np.isin(group_of_centre, list(forbidden[row]))
            if own >= 0:
                may &= ~(present[:, apart[own]].any(axis=1)[homes])
            allowed = np.flatnonzero(may)
            if not len(allowed):
                self.labels[row] = OUTLIER
                continue
            self.labels[row] = homes[allowed[(centres[allowed] @ self.vectors[row]).argmax()]]
            if own >= 0:
                present[self.labels[row], own] = True

    def result(self, run: Clustering) -> Carried:
        homes, centres = np.array(self.homes, np.int32), np.stack(self.centres)
        distances = run.distances.astype(np.float32, copy=True)
        went = np.where(homes[: run.k] == RETIRED, len(self.groups), homes[: run.k])  # a number that no label has
        left = np.append(went, OUTLIER)[run.labels] != self.labels
        for cluster in np.unique(self.labels[left]):
            rows = np.flatnonzero(left & (self.labels == cluster))
            own = centres[homes != RETIRED] if cluster == OUTLIER else centres[homes == cluster]
            distances[rows] = 1 - (self.vectors[rows] @ own.T).max(axis=1).clip(-1, 1)
        return Carried(self.labels, distances, np.array(self.groups, np.int32), homes, centres)
