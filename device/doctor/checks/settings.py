"""PURE. The settings file: without one that can be read there is nothing to examine."""

from __future__ import annotations

from typing import Final

from device.doctor.findings import Outcome, Phrase

UNUSABLE: Final = Phrase(
    "settings.unusable",
    Outcome.FAILURE,
    "{error}",
    "設定を使えません: {error}",
    "Mend that line, as `kaiwa-device config` shows the others; all have defaults, so an empty file is a good one. A file that"
    " may not be read: with sudo.",
    "その行を直してください。`kaiwa-device config` でほかの設定を確かめられます。どれにも既定値があるので、空のファイルでもかまいません。"
    "読む権限がなければ sudo で実行してください。",
)
