"""roost finetune as a person types it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.cli.test_commands import refused, roost
from tests.fixtures.pictures import gallery

QUICK = ("--epochs", "1", "--param", "batch_size=8", "--param", "cached_views=2", "--workers", "0")


def pictures(folder: Path, each: int) -> Path:
    for name, data in gallery(each).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def test_a_folder_gives_an_encoder_a_verdict_and_a_page(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "garden", 12)
    more = ("--labels", "folders", "--param", "seed=3", "--json")
    run = roost("finetune", folder, "--method", "simclr", *more, *QUICK, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    summary = json.loads(run.stdout)
    assert (summary["images"], summary["rejected"], summary["epochs"], summary["ended"]) == (36, 0, 1, "epochs")
    assert summary["frozen"].keys() == summary["tuned"].keys() >= {"retrieval", "knn", "nmi", "linear_1"}
    assert isinstance(summary["recommended"], bool) and {"prepare", "train", "compare"} <= summary["seconds"].keys()
    out, encoder = Path(summary["out"]), Path(summary["encoder"])
    assert summary["verdict"] in re.sub("<[^>]+>", "", (out / "training.html").read_text())
    training = json.loads((out / "training.json").read_text())
    assert len(training["epochs"]) == 2
    tried = training["neighbours_found_by_share"]
    assert set(tried) == {"0.0", "0.25", "0.5", "0.75"} and all(0 <= found <= 1 for found in tried.values())
    params = json.loads((encoder / "encoder.json").read_text())["params"]
    assert params["seed"] == 3, "what is not given by --seed may be given as any parameter"
    kept = params["frozen_share"]
    assert kept == training["frozen_share"] and str(kept) in tried
    assert 0 <= summary["neighbours"]["frozen"] <= 1
    assert {path.name for path in out.iterdir()} == {"copies", "encoder", "training.html", "training.json"}
    sort = roost("cluster", folder, "--k", "3", "--encoder", encoder, "--json", cwd=tmp_path)
    assert sort.returncode == 0 and json.loads(sort.stdout)["k"] == 3


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--method", "guess"], "'guess' is not known; known: byol"),
        (["--param", "epoch=3"], "simclr has epochs"),
        (["--param", "lr=much"], "valid number"),
        (["--param", "lr"], "NAME=VALUE"),
        (["--base", "nothing"], "known: dino-small"),
        (["--device", "tpu"], "auto, cpu or cuda"),
    ],
)
def test_wrong_use(wrong: list[str], said: str, tmp_path: Path) -> None:
    method = [] if "--method" in wrong else ["--method", "simclr"]
    assert said in refused("finetune", tmp_path, *method, *wrong)


def test_too_few_pictures(tmp_path: Path) -> None:
    run = roost("finetune", pictures(tmp_path / "few", 2), *QUICK, cwd=tmp_path)
    assert run.returncode == 1 and "needs 32 readable images" in run.stderr and len(run.stderr.splitlines()) == 1


def test_the_module_form_is_harmless_to_import() -> None:
    """The processes that make views import the main module once more."""
    done = subprocess.run([sys.executable, "-c", "import app.cli.__main__"], capture_output=True, text=True, check=True)
    assert done.stdout == done.stderr == ""
