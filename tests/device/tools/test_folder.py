"""A maker's own files: the example of the documents, and every way in which a file can be no good."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from device.config import DeviceSettings
from device.errors import SettingsError, ToolError
from device.messages.settings import read_settings
from device.tools.built_in import BuiltIn
from device.tools.folder import load_folder
from device.tools.kit import local_time, toolbox
from device.tools.settings import ToolsSettings
from device.tools.toolbox import Toolbox
from tests.device.tools.reach import reach

PAGE = Path("docs/tools.md").read_text(encoding="utf-8")


def written(folder: Path, text: str, name: str = "bell.py") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


async def test_the_example_of_the_documents_works_as_shown(tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    written(tmp_path, program)
    tools = Toolbox(load_folder(tmp_path, 5.0))
    assert [(tool.name, tool.seconds, tool.user_only) for tool in tools.tools] == [
        ("find_exhibit", 5.0, False),
        ("count_exhibits", 15.0, True),
    ]
    assert [tool.name for tool in tools.declarations] == ["find_exhibit"]
    found = await tools.call("find_exhibit", '{"name": "owl"}', ["find_exhibit"])
    assert found.text == '{"ok":true,"result":"The owl is in the tower."}'
    missing = await tools.call("find_exhibit", '{"name": "horse"}')
    assert "there is no horse; there are: elephant, owl, whale" in missing.text
    assert (await tools.call("count_exhibits", "")).text == '{"ok":true,"result":3}'
    assert not (await tools.call("count_exhibits", "", ["find_exhibit"])).ok


def test_the_settings_of_the_documents_are_good() -> None:
    outputs, folder, _cloud = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    lamp, head = read_settings(outputs, "device.toml", DeviceSettings).tools.outputs
    assert (lamp.kind, head.kind) == ("switch", "servo")
    assert read_settings(folder, "device.toml", DeviceSettings).tools.folder == "/etc/kaiwa/tools"


def test_the_documents_name_every_built_in_tool() -> None:
    for tool in BuiltIn(reach()).tools():
        assert f"`{tool.name}`" in PAGE


BELL = 'from device.tools import tool\n\n\n@tool\ndef {name}({parameters}) -> None:\n    """Ring."""\n'


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (BELL.format(name="ring", parameters="times"), 4, "`times` has no type hint"),
        ("x = 1\nx.ring()\n", 2, "AttributeError: 'int' object has no attribute 'ring'"),
        ("def ring(:\n", 1, "SyntaxError"),
        ("import nowhere_to_be_found\n", 1, "ModuleNotFoundError"),
        ("import sys\nsys.exit(0)\n", 2, "SystemExit: 0"),
    ],
)
def test_a_file_that_is_no_good_is_told_with_its_line(tmp_path: Path, text: str, line: int, why: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ToolError, match=why) as refused:
        load_folder(tmp_path, 5.0)
    assert (refused.value.path, refused.value.line) == (str(path), line)
    assert str(refused.value).startswith(f"{path}:{line}: ")


def test_only_marked_functions_of_visible_files_are_tools(tmp_path: Path) -> None:
    written(tmp_path, BELL.format(name="ring", parameters="") + "\n\ndef helper() -> None:\n    pass\n", "b.py")
    written(tmp_path, BELL.format(name="hidden", parameters=""), "_parts.py")
    written(tmp_path, BELL.format(name="also_hidden", parameters=""), ".old.py")
    written(tmp_path, "from kaiwa_tools_a import knock\n", "z.py")
    written(tmp_path, BELL.format(name="knock", parameters=""), "a.py")
    written(tmp_path, "no Python at all", "notes.txt")
    assert [tool.name for tool in load_folder(tmp_path, 5.0)] == ["knock", "ring"]


def test_two_tools_of_one_name_are_refused(tmp_path: Path) -> None:
    written(tmp_path, BELL.format(name="volume", parameters=""))
    with pytest.raises(ToolError, match="two tools of one name: volume"):
        toolbox(ToolsSettings(folder=str(tmp_path)), BuiltIn(reach()).tools())


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="not there"):
        toolbox(ToolsSettings(folder=str(tmp_path / "none")), [])


def test_the_time_is_that_of_the_zone() -> None:
    assert local_time(0.0, "Asia/Tokyo").strftime("%H:%M %Z") == "09:00 JST"
    assert local_time(0.0, "").utcoffset() is not None
    with pytest.raises(SettingsError, match="no time zone 'Mars/Olympus'"):
        local_time(0.0, "Mars/Olympus")
