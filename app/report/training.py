"""training.html: how a fine-tuning went and whether its encoder is the better one, in one file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from app.report.atomic import replacing
from app.report.curves import Curve, svg

if TYPE_CHECKING:
    from models.ssl.finetune import Tuned

Record = Mapping[str, float | None]
# The pictures carry their style inline; nothing else may come from anywhere, and nothing may run.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
NOT_TERMS = {
    "epoch", "loss", "lr", "spread", "rankme", "nmi_prev", "retrieval", "seconds", "images_per_s", "knn", "nmi_labels",
}  # fmt: skip
MEASURES = {
    "retrieval": ("Retrieval", "How often one random view of a held-out picture finds the other among all."),
    "knn": ("Neighbours", "Share of pictures whose 10 nearest neighbours carry their label."),
    "nmi": ("NMI", "Agreement of k-means with the labels, mean of 5 seeds."),
    "ari": ("ARI", "The same, adjusted for chance."),
    "accuracy": ("Accuracy", "Share of pictures in the cluster that matches their label best."),
    "linear_1": ("Linear, 1% of labels", "Test accuracy of a linear classifier that saw 1% of the labels."),
    "linear_10": ("Linear, 10%", "With 10% of the labels."),
    "linear_20": ("Linear, 20%", "With 20% of the labels."),
    "linear_100": ("Linear, all", "With all labels of the training part."),
    "spread": ("Spread", "Of the vectors, times the root of their length: 1 fills the sphere, 0 is a collapse."),
    "rankme": ("RankMe", "Effective number of dimensions in use; compares only within one method."),
}


@dataclass(frozen=True)
class TrainingReport:
    """All that the page says. `frozen` and `tuned` are measures of the encoder before and after."""

    title: str
    created_at: datetime
    method: str
    base: str
    params: Mapping[str, Any]
    images: int
    held_out: int
    fingerprint: str
    versions: Mapping[str, str]
    ended: str
    epochs: Sequence[Record]
    frozen: Mapping[str, float]
    tuned: Mapping[str, float]
    recommended: bool
    verdict: str
    k_curve: Sequence[Record] = ()


def of(tuned: "Tuned") -> TrainingReport:
    """What there is to say of a fine-tuning that has just ended."""
    made = tuned.encoder.description
    epochs: Sequence[Record] = tuned.result.history
    return TrainingReport(
        title=made.name, created_at=datetime.now(UTC), method=made.method, base=made.base, params=made.params,
        images=made.images, held_out=len(tuned.held_out), fingerprint=made.fingerprint, versions=made.versions,
        ended=tuned.result.ended, epochs=epochs, frozen=tuned.frozen, tuned=tuned.tuned,
        recommended=tuned.verdict.recommended, verdict=tuned.verdict.sentence, k_curve=tuned.k_curve,
    )  # fmt: skip


def write(report: TrainingReport, path: Path) -> None:
    with replacing(path) as file:
        file.write(render(report))


def render(report: TrainingReport) -> str:
    """The page, one file: no script, nothing from elsewhere."""
    rows = [
        (*MEASURES[name], report.frozen[name], report.tuned[name])
        for name in MEASURES
        if name in report.frozen and name in report.tuned
    ]
    pictures = [(curve, Markup(svg(curve))) for curve in curves(report)]
    return _template().render(report=report, rows=rows, curves=pictures, digits=_digits, style=_style(), policy=POLICY)


def curves(report: TrainingReport) -> list[Curve]:
    """What there is to draw; a measure that no epoch has is left out."""
    found = [
        _over_epochs(
            report, "Loss", "What the training makes smaller; it says nothing of the encoder's worth.", "loss"
        ),
        _over_epochs(report, "Retrieval", "One view of a held-out picture finds the other. Should rise.", "retrieval"),
        _over_epochs(report, "Spread", "1 fills the sphere; a fall to a fifth of the start is a collapse.", "spread"),
        _over_epochs(
            report, "RankMe", "Effective number of dimensions. A fall by over a tenth is a bad sign.", "rankme"
        ),
        _over_epochs(report, "Reassignment", "NMI of this epoch's clusters with the last one's.", "nmi_prev"),
        _over_epochs(
            report, "Clustering quality", "NMI of the clusters with the labels, never trained on.", "nmi_labels"
        ),
        _over_epochs(report, "Neighbours", "Nearest-neighbour accuracy with the labels, never trained on.", "knn"),
        *_terms(report),
        _over_epochs(report, "Learning rate", "At the end of the epoch.", "lr"),
        _over_epochs(report, "Images a second", "Seen by the training, without preparation.", "images_per_s"),
        *_influence_of_k(report.k_curve),
    ]
    return [curve for curve in found if any(y is not None for line in curve.lines.values() for _, y in line)]


def _over_epochs(report: TrainingReport, title: str, meaning: str, *names: str) -> Curve:
    lines = {name: [(float(one["epoch"] or 0), one.get(name)) for one in report.epochs] for name in names}
    return Curve(title, meaning, "epoch", lines)


def _terms(report: TrainingReport) -> list[Curve]:
    names = sorted({name for one in report.epochs for name in one} - NOT_TERMS)
    return [_over_epochs(report, name.replace("_", " ").capitalize(), "A term of the method.", name) for name in names]


def _influence_of_k(records: Sequence[Record]) -> list[Curve]:
    names = {"nmi_labels": "with labels", "nmi_seeds": "two seeds"}
    lines = {
        words: [(float(one["k"] or 0), one[name]) for one in records]
        for name, words in names.items()
        if any(one.get(name) is not None for one in records)
    }
    meaning = "NMI of k-means on the tuned vectors, for different k."
    return [Curve("Influence of k", meaning, "k", lines, logarithmic=True)] if lines else []


def _digits(measure: str, sign: str = "") -> str:
    return f"%{sign}.0f" if measure == "RankMe" else f"%{sign}.3f"


@cache
def _style() -> str:
    return "\n".join(files("app.report").joinpath(name).read_text() for name in ("report.css", "training.css"))


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("app.report", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("training.html.j2")
