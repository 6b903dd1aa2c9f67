"""PURE. The enrolment and the life that its certificate has left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from device.doctor.findings import Finding, Outcome, Phrase

DAY: Final = 86_400.0

GOOD: Final = Phrase(
    "identity.good",
    Outcome.OK,
    "{device}, enrolled; the certificate is good for {days:.0f} more days and renews by itself",
    "{device} は登録済みです。証明書の残りは {days:.0f} 日で、自動で更新されます",
)
ENDING: Final = Phrase(
    "identity.ending",
    Outcome.WARNING,
    "{device}: the certificate should have been renewed by now; it runs out in {days:.0f} days",
    "{device}: 証明書がまだ更新されていません。あと {days:.0f} 日で切れます",
    "Let the robot run with a connection to its cloud, and it renews by itself; its log says what stands in the way. "
    "After that day it needs a new claim: `kaiwa-device enrol CLAIM`.",
    "ロボットをクラウドにつないで動かしておけば自動で更新されます。更新できない理由はログにあります。"
    "期限を過ぎたら、新しい登録コードで登録し直してください: `kaiwa-device enrol CLAIM`。",
)
FUTURE: Final = Phrase(
    "identity.future",
    Outcome.FAILURE,
    "{device}: the certificate begins {days:.1f} days from now; the clock of this board is behind",
    "{device}: 証明書は {days:.1f} 日後から有効です。時計が遅れています",
    "Set the clock: `sudo timedatectl set-ntp true`, or give the board a network.",
    "`sudo timedatectl set-ntp true` で時計を合わせるか、ネットワークにつないでください。",
)
UNUSABLE: Final = Phrase(
    "identity.unusable",
    Outcome.FAILURE,
    "{error}",
    "身元を使えません: {error}",
    "Ask the operator for a claim (`kaiwa-cloud claim new`), then `kaiwa-device enrol CLAIM`.",
    "運用者から登録コードを受け取り (`kaiwa-cloud claim new`)、`kaiwa-device enrol CLAIM` を実行してください。",
)


@dataclass(frozen=True, slots=True)
class IdentityFacts:
    """What was seen of the enrolment; times in Unix seconds."""

    device: str
    begins_at: float
    expires_at: float
    now: float
    error: str
    """Why it cannot be used; empty when it can."""


def check(facts: IdentityFacts) -> list[Finding]:
    """Return what is to be said about the enrolment."""
    if facts.error:
        return [UNUSABLE(error=facts.error)]
    if facts.now < facts.begins_at:
        return [FUTURE(device=facts.device, days=(facts.begins_at - facts.now) / DAY)]
    left, life = facts.expires_at - facts.now, facts.expires_at - facts.begins_at
    # a robot that could renew its certificate has done so by its last quarter (device.validity)
    phrase = GOOD if left > life / 4 else ENDING
    return [phrase(device=facts.device, days=left / DAY)]
