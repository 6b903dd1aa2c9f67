from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.messages.enrolment import Claim
from provisioning.codes import hash_code, is_device_name, new_code, new_device


def test_codes_are_long_readable_and_fit_a_claim() -> None:
    codes = {new_code() for _ in range(200)}
    assert len(codes) == 200
    for code in codes:
        assert [len(group) for group in code.split("-")] == [5, 5, 5, 5], "100 bits"
        assert not set(code) & set("ILOU"), "letters that are misread, and one that makes words"
        assert Claim.parse(str(Claim("h:1", code, "0" * 64))).code == code


@given(st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=20, max_size=20))
def test_a_code_may_be_misread(code: str) -> None:
    misread = code.lower().replace("0", "o").replace("1", "l")
    assert hash_code("-".join([misread[:5], misread[5:]])) == hash_code(code)


@given(st.text("ABCDEFGH", min_size=20, max_size=20), st.integers(0, 19))
def test_another_code_has_another_hash(code: str, place: int) -> None:
    assert hash_code(code[:place] + "Z" + code[place + 1 :]) != hash_code(code)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("abcde-fgh12", "ABCDEFGH12"), ("iloILO", "110110"), ("A-B-C-", "ABC"), ("-", ""), ("0O1IL", "00111")],
)
def test_what_is_typed_is_read_as_it_was_meant(typed: str, meant: str) -> None:
    assert hash_code(typed) == hash_code(meant)
    assert hash_code(typed) != hash_code(meant + "0")


@pytest.mark.parametrize(
    "name", ["robot-1", "abc", "a" * 40, "7up", "a-b", "mint", "operator", "operators", "kaiwa-minter", "a--b"]
)
def test_names_that_devices_may_have(name: str) -> None:
    assert is_device_name(name)


def test_a_name_made_here_is_one_that_devices_may_have() -> None:
    names = {new_device() for _ in range(100)}
    assert len(names) == 100
    assert all(is_device_name(name) and len(name) == len("kaiwa-") + 8 for name in names)


@pytest.mark.parametrize(
    "name",
    ["", "ab", "a" * 41, "Robot", "a/b", "a+b", "a#b", "-ab", "ab-", "minter", "minter-2", "operator-a", "a b", "a\nb"],
)
def test_names_that_devices_may_not_have(name: str) -> None:
    assert not is_device_name(name)
