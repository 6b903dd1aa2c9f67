"""The observer's server in a process of its own: `python -m tests.bench.feeding CAPTIONS`.

Prints its address; for every line on standard input answers with its resident memory in bytes, or, for `speak`, shows
so many captions, five a second, each of which says when it was shown (CLOCK_MONOTONIC, seconds).
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from pathlib import Path

from provisioning.observer.feed import Feed
from provisioning.observer.web import create_app
from tests.provisioning.observer.live_stream import serving
from tests.provisioning.observer.talk import on_air, said

PAUSE = 0.2


def resident() -> int:
    """Return this process's resident memory in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


async def main(captions: int) -> None:
    """Serve until standard input ends."""
    feed = Feed()
    feed.on_state(on_air())
    async with serving(create_app(feed)) as url:
        print(url, flush=True)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            if line.strip() == "speak":
                for number in range(captions):
                    shown = f"{time.monotonic():.6f}"
                    feed.on_event("hana", said(shown, caption_id=f"c{number}", start=time.time()))
                    await asyncio.sleep(PAUSE)
            print(resident(), flush=True)


if __name__ == "__main__":
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(main(int(sys.argv[1])))
