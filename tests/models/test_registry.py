import subprocess
import sys

import pytest

from models import registry


def test_names_follow_the_files() -> None:
    names = registry.names("encoders")
    assert {"efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2", "dinov2-small", "dino-small"} <= set(
        names
    )
    assert names == sorted(names)


def test_modules_that_serve_others_are_no_plugins() -> None:
    assert not {"base", "hub", "export", "packaged-efficientnet", "--init--"} & set(registry.names("encoders"))


@pytest.mark.parametrize("name", ["nothing", "base", "../registry", "efficientnet_lite0", ""])
def test_an_unknown_name_lists_the_known_ones(name: str) -> None:
    with pytest.raises(registry.UnknownPlugin, match=r"known: .*efficientnet-lite0") as caught:
        registry.load("encoders", name)
    assert str(caught.value).startswith("unknown encoders")


def test_a_dot_in_a_kind_is_a_folder() -> None:
    names = registry.names("ssl.methods")
    assert {"simclr", "moco", "byol", "deepcluster", "vicreg"} <= set(names) and names == sorted(names)
    assert registry.load("ssl.methods", "simclr").__module__ == "models.ssl.methods.simclr"
    assert registry.names("ssl") == []  # what serves the methods is none


def test_an_unknown_name_of_a_dotted_kind_lists_the_known_ones() -> None:
    with pytest.raises(registry.UnknownPlugin, match=r"unknown ssl\.methods 'nothing'; known: byol, .*simclr"):
        registry.load("ssl.methods", "nothing")


@pytest.mark.parametrize(
    "kind",
    ["nothing", "..", "../tests", "/tmp", "ssl..methods", ".ssl.methods", "ssl.methods.", "ssl/methods", "ssl.no", ""],
)
def test_an_unknown_kind_is_empty(kind: str) -> None:
    assert registry.names(kind) == []
    with pytest.raises(registry.UnknownPlugin, match="known: none"):
        registry.load(kind, "base")


def test_a_class_or_a_plugin_object_makes_a_plugin(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "shapes"
    folder.mkdir()
    (folder / "full_circle.py").write_text("class Circle:\n    name: str = 'full-circle'\n")
    (folder / "square.py").write_text("PLUGIN = object()\n")
    (folder / "helper.py").write_text("class Helper:\n    name = 'another'\n")
    monkeypatch.setattr(registry, "ROOT", tmp_path)
    assert registry.names("shapes") == ["full-circle", "square"]


def test_listing_imports_nothing_heavy() -> None:
    script = (
        "import sys; from models import registry\n"
        "[registry.names(kind) for kind in ('encoders', 'clustering', 'index', 'ssl.methods')]\n"
        "[registry.load('encoders', name).unavailable() for name in registry.names('encoders')]\n"
        "print(sorted({'torch', 'timm', 'openvino', 'faiss', 'sklearn'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
