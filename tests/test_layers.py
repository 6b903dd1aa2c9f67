"""Pure modules are pure, and the list that import-linter holds them to is complete."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path


def pure_modules() -> list[str]:
    found = []
    for path in sorted([*Path("device").rglob("*.py"), *Path("provisioning").rglob("*.py")]):
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        if docstring.startswith("PURE."):
            found.append(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
    return found


def test_every_pure_module_is_held_to_it_by_import_linter() -> None:
    settings = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    listed = next(c for c in contracts if c["name"].startswith("Pure"))["source_modules"]
    assert sorted(listed) == pure_modules()
