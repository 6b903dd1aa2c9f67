"""Tools of the maker's own: the functions marked with `@tool` in the Python files of one folder."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from device.errors import ToolError
from device.tools.tool import MARK, Marked, Tool, made


def load_folder(folder: Path, seconds: float) -> list[Tool]:
    """Return the tools in `folder`, file by file in the order of their names; a call may take `seconds` unless it says.

    Files whose names begin with `_` or `.` are left out; the others are run, as an import runs them.

    Raises:
        ToolError: no such folder, a file that fails, or a function that cannot be said to a model; with file and line.
    """
    if not folder.is_dir():
        raise ToolError(str(folder), "the folder of tools is not there", key="tools.folder")
    files = sorted(path for path in folder.glob("*.py") if path.name[0] not in "._")
    return [tool for path in files for tool in _tools(_run(path), seconds)]


def _run(path: Path) -> ModuleType:
    name = f"kaiwa_tools_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ToolError(str(path), "cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # type hints are looked up there
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever a maker's file raises
        del sys.modules[name]
        raise ToolError(str(path), f"{type(error).__name__}: {error}", line=_line_in(path, error)) from error
    return module


def _line_in(path: Path, error: BaseException) -> int | None:
    """Return the last line of `path` that was at work when `error` was raised."""
    if isinstance(error, SyntaxError):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == str(path)), None)


def _tools(module: ModuleType, seconds: float) -> Iterator[Tool]:
    for value in vars(module).values():
        mark = getattr(value, MARK, None)
        if isinstance(mark, Marked) and value.__module__ == module.__name__:
            allowed = seconds if mark.seconds is None else mark.seconds
            yield made(value, seconds=allowed, user_only=mark.user_only)
