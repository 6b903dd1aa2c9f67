"""Mutate bytes towards code that was not reached before, and give them to every decoder: `make fuzz`.

Arguments are libFuzzer's own, such as `-max_total_time=60` or a folder that keeps what was found.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["device", "provisioning", "tomllib"]):
    from tests.fuzz.decoders import everywhere
    from tests.fuzz.test_decoders import HONEST


def main() -> None:
    """Fuzz until it is told to stop, or until something comes out that no decoder documents."""
    for honest in HONEST:
        everywhere(honest)
    atheris.Setup(sys.argv, everywhere)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
