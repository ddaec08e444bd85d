"""What the documents say exists, exists; and what exists is documented."""

import ast
import re
from importlib.util import find_spec
from pathlib import Path

from typer.main import get_command

from app.cli import app
from app.settings import Settings

ROOT = Path(__file__).parents[1]


def test_every_setting_is_documented_with_its_own_name() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    documented = set(re.findall(r"^\| `ROOST_(\w+)`", text, re.MULTILINE))
    assert documented == {name.upper() for name in Settings.model_fields}


def test_every_file_and_link_of_the_readme_exists() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_test_that_faults_names_exists() -> None:
    text = (ROOT / "docs" / "faults.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)::(?:(\w+)::)?(\w+)`", text)
    assert len(named) == text.count("`tests/") > 50
    for file, group, name in named:
        defined = ast.parse((ROOT / file).read_text()).body
        if group:
            defined = next(one for one in defined if isinstance(one, ast.ClassDef) and one.name == group).body
        assert name in {one.name for one in defined if isinstance(one, ast.FunctionDef)}, f"{file} has no {name}"
    for module in re.findall(r"`python -m ([\w.]+)", text):
        assert find_spec(module), module


def test_every_command_has_help_with_an_example() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    assert {"serve", "worker", "cluster", "search", "demo"} <= set(commands)
    for name, command in commands.items():
        assert command.help and "Example:" in command.help, name
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{name}: {parameter.name} has no help"


def test_every_make_target_named_in_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"`?make (\w+)", (ROOT / "README.md").read_text())):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_no_file_is_too_long() -> None:
    sources = [path for folder in ("app", "workers", "models") for path in (ROOT / folder).rglob("*.py")]
    long = {str(path.relative_to(ROOT)): n for path in sources if (n := len(path.read_text().splitlines())) > 300}
    assert not {name for name in long if "versions/" not in name}, long
