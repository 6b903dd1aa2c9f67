import pytest

from provisioning.local.realtime.kana import phonemes


@pytest.mark.parametrize(
    ("kana", "sounds"),
    [
        ("ぞうわどこですか", "Z OW UW W AA D OW K OW D EH S UW K AA"),
        ("カメラ", "K AA M EH R AA"),
        ("きょう", "K Y OW UW"),
        ("しゃしん", "SH AA SH IY N"),
        ("まって ください", "M AA T EH K UW D AA S AA IY"),
        ("ラーメン", "R AA M EH N"),
    ],
)
def test_morae_become_phonemes(kana: str, sounds: str) -> None:
    assert phonemes(kana) == sounds


def test_what_is_not_kana_is_named() -> None:
    with pytest.raises(ValueError, match="'象' is not kana; say how it is read"):
        phonemes("象はどこ")
