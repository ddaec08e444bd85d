"""What the figures in a report mean, each in one line."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """A figure with its explanation; `gauge` is its place between worst (0) and best (1), None where there is none."""

    name: str
    value: float | None
    meaning: str
    gauge: float | None

    @property
    def text(self) -> str:
        return "not defined" if self.value is None else f"{self.value:.2f}"


# key: (name, lowest, highest, meaning); None for highest: no best value to draw a gauge to
_KNOWN: dict[str, tuple[str, float, float | None, str]] = {
    "silhouette": ("Silhouette", 0, 1, "How much nearer an image is to its own cluster than to the next one. "
                   "At most 1; on photographs 0.1 to 0.3 is usual."),
    "davies_bouldin": ("Davies-Bouldin", 0, None, "Spread within clusters over the distance between them. "
                       "From 0, lower is better."),
    "separation": ("Separation", 0, 1, "Mean cosine distance from a cluster's centre to the nearest other centre. "
                   "From 0, higher is better."),
    "cohesion": ("Cohesion", 0, 1, "Mean cosine similarity of an image to the centre of its cluster. "
                 "At most 1, higher is better."),
    "balance": ("Balance", 0, 1, "How even the clusters' sizes are. 1: all the same; near 0: nearly all in one."),
    "nmi": ("NMI", 0, 1, "Normalised mutual information of clusters and labels. 0: unrelated, 1: the same."),
    "ari": ("ARI", 0, 1, "Pairs of images that are rightly together or apart, adjusted for chance. "
            "0: chance, 1: all of them."),
    "accuracy": ("Accuracy", 0, 1, "Share of images that are right when each cluster is matched with one label."),
    "purity": ("Purity", 0, 1, "Share of images that have the most frequent label of their cluster."),
    "homogeneity": ("Homogeneity", 0, 1, "1 when every cluster holds a single label."),
    "completeness": ("Completeness", 0, 1, "1 when every label lies in a single cluster."),
    "neighbour_accuracy": ("Neighbour accuracy", 0, 1, "Share of images whose ten nearest neighbours vote for the "
                           "right label: the embedding, judged without any clustering."),
}  # fmt: skip


def measures(figures: Mapping[str, object]) -> list[Measure]:
    """The figures that are numbers or undefined, in their order; one nobody explains here keeps its own name.

    Whole numbers are counts (`n`, `k` of the scores), not measures, and are left out.
    """
    return [
        _measure(key, value) for key, value in figures.items()
        if value is None or (isinstance(value, float) and not isinstance(value, bool))
    ]  # fmt: skip


def _measure(key: str, value: float | None) -> Measure:
    name, low, high, meaning = _KNOWN.get(key, (key.replace("_", " ").capitalize(), 0, None, ""))
    gauge = None if value is None or high is None else min(1.0, max(0.0, (value - low) / (high - low)))
    return Measure(name, value, meaning, gauge)
