"""PURE. The broker, and behind it the minter: whether the cloud knows this board, and would answer it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from device.doctor.findings import Finding, Outcome, Phrase

GOOD: Final = Phrase(
    "broker.good",
    Outcome.OK,
    "{address} accepts this board ({milliseconds:.0f} ms)",
    "{address} はこの基板を受け入れました ({milliseconds:.0f} ms)",
)
RUNNING: Final = Phrase(
    "broker.running",
    Outcome.NOTE,
    "not tried: the robot runs and holds the connection; a second one would throw it off",
    "試していません。動作中のロボットが接続を使っており、もう一つつなぐと切れてしまいます",
    "To try it: `sudo systemctl stop kaiwa-device`, then the doctor again.",
    "試すには `sudo systemctl stop kaiwa-device` のあと、もう一度実行してください。",
)
NO_IDENTITY: Final = Phrase(
    "broker.no_identity",
    Outcome.NOTE,
    "not tried: without an enrolment there is nobody to connect as",
    "試していません。登録がないので接続できません",
)
UNREACHABLE: Final = Phrase(
    "broker.unreachable",
    Outcome.FAILURE,
    "{address} cannot be reached: {error}",
    "{address} に届きません: {error}",
    "Have the firewall let this port out over TCP, and ask the operator whether the broker runs.",
    "ファイアウォールでこの TCP ポートの外向きを許し、ブローカーが動いているか運用者に確かめてください。",
)
STRANGER: Final = Phrase(
    "broker.stranger",
    Outcome.FAILURE,
    "{address} is not the broker of this fleet: {error}",
    "{address} はこの仲間のブローカーではありません: {error}",
    "Look at the clock first; then enrol anew, for the cloud's authority may have changed.",
    "まず時計を確かめ、次に登録し直してください。クラウドの認証局が変わったのかもしれません。",
)
REFUSED: Final = Phrase(
    "broker.refused",
    Outcome.FAILURE,
    "{address} refuses this board: {error}",
    "{address} がこの基板を拒みました: {error}",
    "The certificate is revoked or over; ask the operator (`kaiwa-cloud devices`) and enrol with a new claim.",
    "証明書が失効または期限切れです。運用者に尋ね (`kaiwa-cloud devices`)、新しい登録コードで登録してください。",
)
NO_TOPICS: Final = Phrase(
    "broker.no_topics",
    Outcome.FAILURE,
    "{address} does not let this board hear its own topics",
    "{address} はこの基板に自分のトピックの受信を許しません",
    "Ask the operator to write the broker's access list anew (`kaiwa-cloud broker-config`).",
    "ブローカーのアクセス制御を作り直すよう運用者に頼んでください (`kaiwa-cloud broker-config`)。",
)
MINT_GOOD: Final = Phrase(
    "mint.good",
    Outcome.OK,
    "the minter knows this board and answers in {milliseconds:.0f} ms (dry run: a request that was over when it was sent)",
    "発行サービスがこの基板を認め、{milliseconds:.0f} ms で応答しました (試験: 送った時点で期限切れの要求)",
)
MINT_SILENT: Final = Phrase(
    "mint.silent",
    Outcome.FAILURE,
    "no answer from the minter within {seconds:.0f} s",
    "発行サービスから {seconds:.0f} 秒以内に応答がありません",
    "Ask the operator whether `kaiwa-cloud serve` runs and knows {device}; what it does not know it does not answer.",
    "`kaiwa-cloud serve` が動き、{device} を知っているか運用者に確かめてください。知らない相手には応答しません。",
)
MINT_FORGED: Final = Phrase(
    "mint.forged",
    Outcome.FAILURE,
    "an answer came that the minter did not sign: {error}",
    "発行サービスの署名でない応答が届きました: {error}",
    "Enrol anew: the cloud's key has changed, or somebody else answers in its place.",
    "登録し直してください。クラウドの鍵が変わったか、別のだれかが応答しています。",
)
MINT_REFUSED: Final = Phrase(
    "mint.refused",
    Outcome.FAILURE,
    "the minter refuses this board: {refusal}: {text}",
    "発行サービスがこの基板を拒みました: {refusal}: {text}",
    "Ask the operator (`kaiwa-cloud devices`, `kaiwa-cloud audit`).",
    "運用者に尋ねてください (`kaiwa-cloud devices`、`kaiwa-cloud audit`)。",
)


@dataclass(frozen=True, slots=True)
class MintFacts:
    """What came of a request that had expired before it was sent; a minter answers it with the time and nothing else."""

    seconds: float
    """Until the answer came, or until we gave up."""
    refusal: str
    """The cloud's code, `CLOCK_SKEW` when all is well; empty when nothing came."""
    text: str
    forged: str
    """Why an answer could not be believed; empty when it could."""


@dataclass(frozen=True, slots=True)
class BrokerFacts:
    """What was seen of the broker."""

    device: str
    """Empty where there is no identity."""
    address: str
    running: bool
    """Whether the robot itself is connected from this board now."""
    seconds: float
    error: str
    stage: str
    """Where it failed: `reach`, `trust`, `refused`, `topics`; empty when it did not."""
    mint: MintFacts | None


def check(facts: BrokerFacts) -> list[Finding]:
    """Return what is to be said about broker and minter."""
    if not facts.device:
        return [NO_IDENTITY()]
    if facts.running:
        return [RUNNING()]
    if facts.stage:
        failed = {"trust": STRANGER, "refused": REFUSED, "topics": NO_TOPICS}.get(facts.stage, UNREACHABLE)
        return [failed(address=facts.address, error=facts.error)]
    found = [GOOD(address=facts.address, milliseconds=facts.seconds * 1000.0)]
    return found if facts.mint is None else [*found, _mint(facts.mint, facts.device)]


def _mint(facts: MintFacts, device: str) -> Finding:
    if facts.forged:
        return MINT_FORGED(error=facts.forged)
    if not facts.refusal:
        return MINT_SILENT(seconds=facts.seconds, device=device)
    if facts.refusal == "CLOCK_SKEW":
        return MINT_GOOD(milliseconds=facts.seconds * 1000.0)
    return MINT_REFUSED(refusal=facts.refusal, text=facts.text)
