"""Runs a function once for each call that changes the disk, and kills the process before that call: a power cut.

`python dying.py MODULE FUNCTION ROOT...`: for each n, a child is forked that works on the n-th folder ROOT and dies before
its n-th such call. Prints how many calls there are: the first child that does not die has made them all.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys

CHANGES = frozenset(
    {
        "os.rename",
        "os.remove",
        "os.rmdir",
        "os.mkdir",
        "os.symlink",
        "os.link",
        "os.chmod",
        "os.truncate",
        "shutil.rmtree",
    }
)
"""Audit events (docs.python.org/3/library/audit_events.html) of calls that change what lies on the disk; and opening for it."""


def arm(number: int) -> None:
    """Die before the call of this number."""
    left = number

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if event in CHANGES or writes:
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def died(function: object, root: str, number: int) -> bool:
    """Run it in a child that dies before its call of this number; return whether it came to that."""
    child = os.fork()
    if child == 0:
        arm(number)
        try:
            function(root)  # type: ignore[operator]  # looked up by name
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def main(module: str, function: str, *roots: str) -> int:
    """Let it die on each of `roots`, one call later each; return how many times it died."""
    os.sync = lambda: None  # what the kernel has stays when a process is killed
    os.fsync = lambda fd: None  # noqa: ARG005 - named so
    work = getattr(importlib.import_module(module), function)
    for number, root in enumerate(roots):
        if not died(work, root, number):
            return number
    raise SystemExit("more calls than folders")


if __name__ == "__main__":
    sys.stdout.write(str(main(*sys.argv[1:])))
