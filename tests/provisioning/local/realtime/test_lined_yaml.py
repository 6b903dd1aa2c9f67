import msgspec
import pytest

from device.errors import SettingsError
from provisioning.local.realtime.lined_yaml import line_of, read_yaml


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    number: int


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    inner: list[Inner] = []
    free: dict[str, object] = {}


def read(text: str) -> Outer:
    return read_yaml(text, "file.yaml", Outer)


def test_values_are_read() -> None:
    text = "name: x\ninner:\n  - number: 1\n  - {number: 2}\nfree: {on: true, 'a': [null, 1.5]}\n"
    assert read(text) == Outer("x", [Inner(1), Inner(2)], {"on": True, "a": [None, 1.5]})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "file.yaml: there is nothing in it"),
        ("name: [", "file.yaml:1: not YAML: "),
        ("name: x\ninner:\n  - number: 1\n  - number: two\n", "file.yaml:4: `inner.number`: Expected `int`, got `str`"),
        (
            "name: x\ninner:\n  - number: 1\n    nmber: 1\n",
            "file.yaml:4: `inner.nmber`: unknown key; did you mean `number`",
        ),
        ("inner: []\n", "file.yaml:1: `name`: this key is needed"),
        ("name: x\n\nname: y\n", "file.yaml:3: `name`: this key is here twice"),
        ("name: &a x\ninner: *a\n", "file.yaml:1: aliases are not understood here"),
        ("name: x\nfree: {a: !!python/object:os.system x}\n", "file.yaml:2: not YAML: "),
        ("name: x\nfree: {a: 2026-99-99}\n", "file.yaml:2: not YAML: "),
        ("[" * 1000, "nested too deeply"),
        ("- a\n", "file.yaml:1: Expected `object`, got `array`"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as error:
        read(text)
    assert said in str(error.value)


def test_a_place_is_found_again() -> None:
    text = "name: x\ninner:\n  - number: 1\n  - number: 2\n"
    assert line_of(text, "", ("inner", 1)) == 4
    assert line_of(text, "", ("inner", 7, "number")) == 2
