"""The commands as a person types them: real processes, their output and exit codes."""

import csv
import json
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import app
from models.encoders.finetuned import FinetunedEncoder
from tests.fixtures.pictures import gallery, jpeg
from tests.fixtures.services import ROOST


def roost(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [ROOST, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False)


def refused(*arguments: object) -> str:
    """What `roost`, in this process, says of arguments that it cannot take."""
    run = CliRunner().invoke(app, [*map(str, arguments)], prog_name="roost")
    assert run.exit_code == 2 and isinstance(run.exception, SystemExit) and not run.stdout, run.output
    return " ".join(run.stderr.replace("│", " ").split())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """24 pictures of three kinds, a copy, a broken one, a mislabelled one and a text."""
    root = tmp_path / "pictures"
    for name, data in gallery(8).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    (root / "red" / "copy.jpg").write_bytes(jpeg("red", 0))
    (root / "broken.jpg").write_bytes(jpeg("red", 1)[:700])
    (root / "=cmd.jpg").write_bytes(b"GIF89a" + bytes(20))
    (root / "notes.txt").write_text("not a picture")
    return root


def test_cluster_a_folder(folder: Path, tmp_path: Path) -> None:
    run = roost("cluster", folder, "--k", "3", "--labels", "folders", "--folders", "--json", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    summary = json.loads(run.stdout)
    assert (summary["images"], summary["rejected"], summary["duplicates"], summary["k"]) == (24, 2, 1, 3)
    assert summary["metrics"]["nmi"] == summary["metrics"]["accuracy"] == 1.0
    assert summary["metrics"]["neighbour_accuracy"] == 1.0
    assert {"ingest", "embed", "cluster", "report", "total"} <= set(summary["seconds"]) and summary["images_per_s"] > 0
    out = Path(summary["out"])
    assert out == tmp_path / "roost-out" / "pictures"
    rows = list(csv.DictReader((out / "clusters.csv").open()))
    assert len(rows) == 24 and {row["cluster_id"] for row in rows} == {"0", "1", "2"}
    laid_out = [path for path in (out / "clusters").glob("cluster-*/*")]
    assert len(laid_out) == 24 and all(path.stat().st_nlink == 2 for path in laid_out)
    report = (out / "report.html").read_text()
    assert "image_type_mismatch" in report and "image_corrupt" in report
    assert all((out / "thumbs" / name).exists() for name in {p.name for p in (out / "thumbs").iterdir()})


def test_the_same_seed_twice(folder: Path, tmp_path: Path) -> None:
    tables = []
    for name in ("one", "two"):
        run = roost("cluster", folder, "--k", "4", "--seed", "7", "--out", tmp_path / name, cwd=tmp_path)
        assert run.returncode == 0, run.stderr
        tables.append((tmp_path / name / "clusters.csv").read_text())
        assert "24 pictures in 4 clusters" in run.stdout
    assert tables[0] == tables[1]


def test_k_can_be_chosen(folder: Path, tmp_path: Path) -> None:
    run = roost("cluster", folder, "--json", cwd=tmp_path)
    assert json.loads(run.stdout)["k"] >= 2 and json.loads(run.stdout)["metrics"] is None


def test_labels_from_a_table(folder: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("name,label\n" + "".join(f"{name},{name.split('/')[0]}\n" for name in gallery(8)))
    run = roost("cluster", folder, "--k", "3", "--labels", labels, "--json", cwd=tmp_path)
    assert json.loads(run.stdout)["metrics"]["nmi"] == 1.0


def test_a_fine_tuned_encoder_by_its_folder(folder: Path, tmp_path: Path, untrained: FinetunedEncoder) -> None:
    run = roost("cluster", folder, "--k", "3", "--encoder", untrained.folder, "--json", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    summary = json.loads(run.stdout)
    assert (summary["images"], summary["k"]) == (24, 3)
    assert "untrained" in (Path(summary["out"]) / "report.html").read_text()
    found = roost(
        "search", folder, folder / "red" / "0003.jpg", "-k", "1", "--encoder", untrained.folder, "--json", cwd=tmp_path
    )
    assert json.loads(found.stdout)["encoder"] == "untrained"


def test_search_a_folder_twice(folder: Path, tmp_path: Path) -> None:
    first = roost("search", folder, folder / "blue" / "0003.jpg", "-k", "7", "--json", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    hits = json.loads(first.stdout)["hits"]
    assert len(hits) == 7 and all(hit["name"].startswith("blue/") for hit in hits)
    assert "blue/0003.jpg" not in {hit["name"] for hit in hits}
    (folder / "blue" / "0004.jpg").unlink()
    again = json.loads(roost("search", folder, folder / "blue" / "0003.jpg", "-k", "7", "--json", cwd=tmp_path).stdout)
    assert "blue/0004.jpg" not in {hit["name"] for hit in again["hits"]}, "what is gone is not found"
    elsewhere = tmp_path / "query.jpg"
    elsewhere.write_bytes(jpeg("green", 3))
    run = roost("search", folder, elsewhere, "-k", "1", "--json", cwd=tmp_path)
    assert json.loads(run.stdout)["hits"][0]["name"] == "green/0003.jpg"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["cluster", "nowhere"], "is no folder"),
        (["cluster", "pictures", "--k", "many"], "neither auto nor a number"),
        (["cluster", "pictures", "--encoder", "magic"], "efficientnet-lite0"),
        (["cluster", "pictures", "--encoder", "empty"], "no fine-tuned encoder"),
        (["search", "pictures", "none.jpg"], "is no file"),
        (["serve", "--port", "high"], "port"),
        (["worker", "--queues", "fast"], "cpu,gpu"),
    ],
)
def test_wrong_use(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    assert says in refused(*arguments)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["cluster", "pictures", "--k", "500"], "distinct"),
        (["cluster", "pictures", "--labels", "none.csv"], "none.csv"),
        (["cluster", "empty"], "has no pictures"),
        (["cluster", "pictures", "--encoder", "dinov2-small"], "model.safetensors"),
        (["worker"], "ROOST_BROKER_URL"),
    ],
)
def test_failing_clearly(folder: Path, tmp_path: Path, arguments: list[str], says: str) -> None:
    (tmp_path / "empty").mkdir()
    run = roost(*arguments, cwd=tmp_path)
    assert run.returncode == 1 and says in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1, run.stderr


def test_a_second_service_on_the_same_data_is_refused(tmp_path: Path, make_service: object) -> None:
    service = make_service("embedded")  # type: ignore[operator]
    run = roost("serve", "--data", service.data, "--port", "0", cwd=tmp_path)
    assert run.returncode == 1 and "another one uses" in run.stderr


@pytest.mark.slow
def test_the_demo_on_ones_own_pictures(folder: Path, tmp_path: Path) -> None:
    run = roost("demo", folder, "--out", tmp_path / "demo", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "24 pictures in" in run.stdout and "nmi" in run.stdout and "The service has stopped" in run.stdout
    assert "broken.jpg rejected (image_corrupt" in run.stdout
    report = (tmp_path / "demo" / "report.html").read_text()
    assert all(name in report for name in gallery(8))
    assert len(list((tmp_path / "demo" / "thumbs").iterdir())) == 24
    log = (tmp_path / "demo" / "service.log").read_text()
    assert "Finished server process" in log and "Traceback" not in log
