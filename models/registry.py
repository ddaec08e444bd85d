"""Plug-ins by name: the file's name, with hyphens for underscores, is the public name.

A file of `models/<kind>/` (dots in a kind are folders) is a plug-in when it assigns `PLUGIN` at top level, or holds a
class whose `name` is the public name. Listing reads the sources and imports nothing, so that the API may list choices
without torch or FAISS.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent


class UnknownPlugin(KeyError):
    """No plug-in of that kind has that name; the message lists those there are."""

    def __init__(self, kind: str, name: str, known: list[str]) -> None:
        super().__init__(f"unknown {kind} {name!r}; known: {', '.join(known) or 'none'}")

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would put the sentence in quotation marks


def names(kind: str) -> list[str]:
    """The public names of a kind ("encoders", "clustering", "index", "ssl.methods"), sorted."""
    return sorted(_files(kind))


def load(kind: str, name: str) -> Any:
    """The plug-in object: the module's PLUGIN, or an instance of its one plug-in class.

    Raises UnknownPlugin.
    """
    file = _files(kind).get(name)
    if file is None:
        raise UnknownPlugin(kind, name, names(kind))
    module = import_module(f"models.{kind}.{file.stem}")
    if hasattr(module, "PLUGIN"):
        return module.PLUGIN
    return getattr(module, _plugin_class(file, name))()


def public_name(file: Path) -> str:
    """efficientnet_lite0.py -> efficientnet-lite0"""
    return file.stem.replace("_", "-")


def _files(kind: str) -> dict[str, Path]:
    parts = kind.split(".")
    if not all(part.isidentifier() for part in parts):
        return {}
    files = ROOT.joinpath(*parts).glob("*.py")
    return {public_name(file): file for file in files if _plugin_class(file, public_name(file))}


@lru_cache(maxsize=512)
def _plugin_class(file: Path, name: str) -> str:
    """The name of what makes the file a plug-in, or "" when it is none."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if "PLUGIN" in _assigned(node):
            return "PLUGIN"
        if isinstance(node, ast.ClassDef) and any(_assigned(part).get("name") == name for part in node.body):
            return node.name
    return ""


def _assigned(node: ast.stmt) -> dict[str, object]:
    """What a statement assigns: variable name -> its constant value, or None for anything else."""
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return {}
    targets: list[ast.expr] = node.targets if isinstance(node, ast.Assign) else [node.target]
    constant = node.value.value if isinstance(node.value, ast.Constant) else None
    return {target.id: constant for target in targets if isinstance(target, ast.Name)}
