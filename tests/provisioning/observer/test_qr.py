from __future__ import annotations

import re

from provisioning.observer.qr import qr_code

SHORT = "https://robots.example/r/hana"


def test_it_is_one_square_picture_with_a_quiet_zone_and_nothing_that_runs() -> None:
    picture = qr_code(SHORT).decode()
    box = re.search(r'viewBox="0 0 (\d+) (\d+)"', picture)
    assert box is not None
    modules = int(box[1]) - 8
    assert box[1] == box[2]
    assert modules in range(21, 178, 4), "the sizes of ISO/IEC 18004"
    assert "script" not in picture
    first_dark = re.search(r'<path[^>]* class="qrline"[^>]* d="M([\d.]+) ([\d.]+)', picture)
    assert first_dark is not None
    assert float(first_dark[1]) == 4


def test_another_address_is_another_picture_and_a_long_one_a_larger() -> None:
    assert qr_code(SHORT) != qr_code(SHORT + "2")
    assert len(qr_code(SHORT * 8)) > len(qr_code(SHORT))
