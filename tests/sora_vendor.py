"""Run sora-python-sdk's own end-to-end tests, unmodified, against the stand-in: `make test-sora-vendor CLONE=path`.

The clone is the reader's (github.com/shiguredo/sora-python-sdk, Apache-2.0); nothing of it is here. Its tests run in an
environment of their own, made by uv, with the newest `sora-sdk` that this Python has. Exit code 1 when
anything fails.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Final

from provisioning.local.imageflux import ImageFluxStandIn, StandInSettings

NEEDED: Final = ("pytest", "pyjwt", "httpx", "numpy", "sora-sdk")

SUITE: Final = (
    "test_type_disconnect",
    "test_type_switched",
    "test_sora_disconnect",
    "test_signaling_notify",
    "test_signaling",
    "test_opus",
    "test_signaling_message",
    "test_messaging",
    "test_messaging_header",
    "test_re_offer_re_answer_sdp",
    "test_sendonly_recvonly",
    "test_version",
)


async def run(clone: Path, *arguments: str) -> int:
    """Run the suite in `clone` with more pytest arguments, and return pytest's exit code."""
    tests = [f"tests/{name}.py" for name in SUITE if (clone / "tests" / f"{name}.py").exists()]
    if not tests:
        sys.stderr.write(f"{clone} has no tests of sora-python-sdk\n")
        return 2
    packages = [part for package in NEEDED for part in ("--with", package)]
    uv = ["uv", "run", "--isolated", "--no-project", "--python", sys.executable, *packages, "python", "-m", "pytest"]
    options = ["-p", "sora_vendor_plugin", "-p", "no:cacheprovider", "-q", "-rA", "--tb=line", *arguments]
    async with ImageFluxStandIn(StandInSettings(plain_sora=True)) as stand_in:
        environment = {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parent),
            "TEST_SIGNALING_URLS": stand_in.api_url.replace("http", "ws", 1) + "signaling",
            "TEST_API_URL": stand_in.api_url,
            "TEST_CHANNEL_ID_PREFIX": "kaiwa",
            "TEST_SECRET_KEY": "a secret of thirty-two signs or more",
        }
        failed = [path for path in tests if await _run([*uv, *options, path], clone, environment)]
    sys.stdout.write(
        f"{len(tests) - len(failed)} of {len(tests)} files pass entirely; not: {', '.join(failed) or '-'}\n"
    )
    return 1 if failed else 0


async def _run(command: list[str], folder: Path, environment: dict[str, str]) -> int:
    """Run one file by itself: the SDK may abort its process at its end, after all tests are done."""
    child = await asyncio.create_subprocess_exec(*command, cwd=folder, env=environment)
    return await child.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(run(Path(sys.argv[1]).resolve(), *sys.argv[2:])))
