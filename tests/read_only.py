"""A root file system that is read-only but for one folder, in a mount namespace of its own (mount_namespaces(7))."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMESPACE = """#!/bin/sh
exec unshare --mount sh -c '
mount --make-rprivate / && mount --bind "$1" "$1" && mount -o remount,bind,ro / || exit 98
if touch /kaiwa-was-here 2>/dev/null; then exit 99; fi
shift
exec "$@"
' sh "{folder}" "{python}" "$@"
"""
"""Runs Python in it; exit code 98 or 99 when it is not read-only."""


def may_unshare() -> bool:
    """Tell whether this user may have mounts of their own."""
    unshare = shutil.which("unshare")
    command = [unshare or "", "--mount", "true"]
    return unshare is not None and os.geteuid() == 0 and subprocess.run(command, check=False).returncode == 0


def python_in(folder: Path) -> Path:
    """Write to `folder` a program that is Python with nothing to write to but `folder`, and return its path."""
    python = folder / "python"
    python.write_text(NAMESPACE.format(folder=folder, python=sys.executable))
    python.chmod(0o755)
    return python
