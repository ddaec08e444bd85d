"""training.html: what stands in it, read back by an HTML parser."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.report.training import Record, TrainingReport, curves, render, write
from tests.app.report.conftest import HOSTILE
from tests.app.report.test_report import Page

EPOCHS: list[Record] = [
    {"epoch": 0.0, "spread": 0.91, "rankme": 210.0, "retrieval": 0.5, "nmi_prev": None},
    {"epoch": 1.0, "loss": 4.25, "lr": 1e-4, "seconds": 9.0, "images_per_s": 77.0, "spread": 0.89, "rankme": 220.0,
     "retrieval": 0.6, "nmi_prev": 0.7, "kl_term": 0.1},
    {"epoch": 2.0, "loss": 3.5, "lr": 1e-5, "seconds": 9.0, "images_per_s": None, "spread": 0.9, "rankme": 215.0,
     "retrieval": 0.625, "nmi_prev": 0.8, "kl_term": 0.2},
]  # fmt: skip


@pytest.fixture(scope="module")
def training() -> TrainingReport:
    return TrainingReport(
        title="Garden <2026>", created_at=datetime(2026, 5, 4, 6, 40, tzinfo=UTC), method="simclr",
        base="efficientnet-lite0", params={"epochs": 2, "lr": 1e-4, "max_minutes": None, "frozen_share": 0.25},
        images=1630, held_out=181,
        fingerprint="ab" * 32, versions={"torch": "2.8.0"}, ended="budget", epochs=EPOCHS,
        frozen={"retrieval": 0.5, "knn": 0.874, "spread": 0.91, "rankme": 210.4, "nmi": 0.61},
        tuned={"retrieval": 0.625, "knn": 0.8601, "spread": 0.9, "rankme": 215.2, "nmi": 0.6102},
        recommended=True, verdict="Use the fine-tuned encoder: it finds 62.5% of the views & the frozen one 50%.",
    )  # fmt: skip


def read(report: TrainingReport, folder: Path) -> Page:
    write(report, folder / "training.html")
    return Page(folder / "training.html")


@pytest.fixture(scope="module")
def page(training: TrainingReport, tmp_path_factory: pytest.TempPathFactory) -> Page:
    return read(training, tmp_path_factory.mktemp("page"))


def rows(text: str) -> dict[str, tuple[str, list[str]]]:
    """Measure -> the class of its change, and its figures."""
    found = re.findall(r'<tr><th scope="row">([^<]+)<small>.*?</tr>', text, re.DOTALL)
    bodies = re.findall(r'<tr><th scope="row">.*?</tr>', text, re.DOTALL)
    cells = [re.findall(r"<td(?: class=\"(\w+)\")?>([^<]*)</td>", body) for body in bodies]
    return {name: (cell[-1][0], [text for _, text in cell]) for name, cell in zip(found, cells, strict=True)}


def test_the_values_are_there(page: Page) -> None:
    for part in ("Garden <2026>", "Use the fine-tuned encoder", "62.5% of the views & the frozen one", "1,630 images",
                 "181 held out", "efficientnet-lite0", "2026-05-04 06:40 UTC", "the time budget ended it",
                 "SHA-256 " + "ab" * 32, "torch 2.8.0", "max_minutes None",
                 "25% of the frozen weights stay in it"):  # fmt: skip
        assert part in page.text, part


def test_before_and_after_with_what_became_better_or_worse(training: TrainingReport) -> None:
    found = rows(render(replace(training, epochs=[])))
    assert found["Retrieval"] == ("better", ["0.500", "0.625", "+0.125"])
    assert found["Neighbours"] == ("worse", ["0.874", "0.860", "-0.014"])
    assert found["NMI"] == ("", ["0.610", "0.610", "+0.000"])  # too little to call it better
    assert found["Spread"] == ("", ["0.910", "0.900", "-0.010"])  # neither is better as such
    assert found["RankMe"] == ("", ["210", "215", "+5"])


def test_a_measure_that_only_one_has_is_not_compared(training: TrainingReport) -> None:
    frozen = {name: value for name, value in training.frozen.items() if name != "knn"}
    assert "Neighbours" not in rows(render(replace(training, frozen=frozen, epochs=[])))


def test_a_verdict_against_it_is_shown_as_one(training: TrainingReport, tmp_path: Path) -> None:
    verdict = "Stay with the frozen encoder: it finds more."
    page = read(replace(training, recommended=False, verdict=verdict, ended="epochs", epochs=[]), tmp_path)
    assert "Stay with the frozen encoder" in page.text and "Use the fine-tuned" not in page.text
    assert "the time budget" not in page.text
    assert {"class": "verdict keep"} in page.all("p")


def test_there_is_a_curve_for_all_that_was_measured(training: TrainingReport) -> None:
    found = {curve.title: curve for curve in curves(training)}
    assert list(found) == [
        "Loss", "Retrieval", "Spread", "RankMe", "Reassignment", "Kl term", "Learning rate", "Images a second"
    ]  # fmt: skip
    assert found["Loss"].lines == {"loss": [(0, None), (1, 4.25), (2, 3.5)]}
    assert found["Retrieval"].lines == {"retrieval": [(0, 0.5), (1, 0.6), (2, 0.625)]}


def test_labels_and_clusters_add_their_curves(training: TrainingReport) -> None:
    epochs = [{**one, "knn": 0.8, "nmi_labels": 0.6} for one in EPOCHS]
    k_curve: list[Record] = [{"k": k, "nmi_seeds": 0.9, "nmi_labels": None} for k in (2.0, 4.0)]
    found = {curve.title: curve for curve in curves(replace(training, epochs=epochs, k_curve=k_curve))}
    assert {"Clustering quality", "Neighbours", "Influence of k"} <= found.keys()
    assert found["Influence of k"].lines == {"two seeds": [(2, 0.9), (4, 0.9)]} and found["Influence of k"].logarithmic
    labelled: list[Record] = [{"k": 2.0, "nmi_seeds": 0.9, "nmi_labels": 0.5}]
    (curve,) = [one for one in curves(replace(training, k_curve=labelled)) if one.x == "k"]
    assert curve.lines == {"with labels": [(2, 0.5)], "two seeds": [(2, 0.9)]}


def test_every_curve_has_its_picture_and_says_what_it_means(training: TrainingReport, page: Page) -> None:
    assert len(page.all("figure")) == len(curves(training)) == len(page.all("svg")) - 1  # one is the mark
    for curve in curves(training):
        assert curve.meaning in page.text


def test_a_run_that_ended_before_its_first_epoch_has_a_page_too(training: TrainingReport, tmp_path: Path) -> None:
    page = read(replace(training, epochs=[], frozen={}, tuned={}, params={}, versions={}), tmp_path)
    assert not page.all("figure") and "Garden <2026>" in page.text


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_adds_nothing_but_text(training: TrainingReport, tmp_path: Path, name: str) -> None:
    def named(text: str) -> Page:
        report = replace(
            training, title=text, method=text, base=text, verdict=text, fingerprint=text, params={text: text},
            versions={text: text}, epochs=[],
        )  # fmt: skip
        return read(report, tmp_path)

    found, expected = named(name), named("x")
    assert found.elements == expected.elements
    if name.isprintable():
        assert found.text.count(name) >= 9  # all of the above and the window's title


def test_it_opens_without_a_network_and_runs_nothing(page: Page) -> None:
    assert not page.all("script") and not page.all("link") and not page.all("img")
    (policy,) = [attrs["content"] for attrs in page.all("meta") if "http-equiv" in attrs]
    assert "default-src 'none'" in policy and "script-src" not in policy
    for _, attributes in page.elements:
        for attribute, value in attributes.items():
            assert not attribute.endswith("href") or value.startswith("#")
            assert attribute != "src"
    style = "".join(page.texts["style"]) + "".join(attributes.get("style", "") for _, attributes in page.elements)
    assert style and not re.search(r"url\((?!#)|@import", style)


def test_references_within_the_page_lead_to_one_element(page: Page) -> None:
    """The pictures stand in one document: what one refers to must not be in another."""
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    targets = {value[1:] for _, attributes in page.elements for name, value in attributes.items()
               if name.endswith("href") and value.startswith("#")}  # fmt: skip
    targets |= {found for _, attributes in page.elements for value in attributes.values()
                for found in re.findall(r"url\(#([^)]+)\)", value)}  # fmt: skip
    assert targets and {target: ids.count(target) for target in targets} == dict.fromkeys(targets, 1)


def test_a_failed_write_leaves_the_old_page(training: TrainingReport, tmp_path: Path) -> None:
    training = replace(training, epochs=[])
    write(training, tmp_path / "training.html")
    old = (tmp_path / "training.html").read_bytes()
    with pytest.raises(ValueError):
        write(replace(training, images="many"), tmp_path / "training.html")  # type: ignore[arg-type]
    assert (tmp_path / "training.html").read_bytes() == old
    assert [entry.name for entry in tmp_path.iterdir()] == ["training.html"]
