from __future__ import annotations

import re
from pathlib import Path

import pytest

from device.errors import SettingsError
from device.messages.secret import Secret
from device.messages.tools import BUILT_IN
from provisioning.settings import (
    IMAGEFLUX_TOKEN_VARIABLE,
    OPENAI_KEY_VARIABLE,
    BrokerSettings,
    CloudSettings,
    EnrolSettings,
    load_settings,
    replaced,
    with_secrets,
)
from provisioning.spending.caps import Cap
from provisioning.spending.prices import DOCUMENTED

EXAMPLE = Path(__file__).parents[2] / "docs" / "cloud.example.toml"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "cloud.toml"
    path.write_text(text)
    return path


def loaded(path: Path, environment: dict[str, str]) -> CloudSettings:
    return with_secrets(load_settings(path), path, environment)


def test_secrets_elsewhere_are_not_needed_to_read_the_rest(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, EXAMPLE.read_text()))
    assert not settings.openai.api_key


def test_the_example_parses_and_shows_every_key(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    (tmp_path / "openai-key").write_text("sk-1\n")
    (tmp_path / "imageflux-token").write_text("t-1\n")
    (tmp_path / "events-token").write_text("e-1\n")
    settings = loaded(written(tmp_path, text), {})
    assert settings.openai.api_key == Secret("sk-1")
    assert settings.imageflux.token == Secret("t-1")
    assert [(secret.name, secret.token) for secret in settings.mcp_secrets] == [("events", Secret("e-1"))]
    assert settings.rules.caps.of("group:lobby") == Cap(40_000_000, 400_000_000)
    assert settings.rules.caps.of("group:other") == Cap()
    assert settings.prices.models == DOCUMENTED[:1]
    tables = ("enrol", "web", "broker", "openai", "imageflux", "limits", "monitor", "budget", "hours", "prices")
    for table in (*tables, "home_assistant"):
        section = text.partition(f"\n[{table}]\n")[2].partition("\n\n#")[0]
        for key in getattr(settings, table).__struct_fields__:
            assert f"{key} = " in section or key in {"api_key", "token", "channel", "models", "mcp", "password"}, (
                f"[{table}] {key} is not in the example"
            )


RENDITION = "[[imageflux.channel.renditions]]\n"


@pytest.mark.parametrize(
    ("text", "line", "key", "reason"),
    [
        ('state_dir = "x"\n[openai]\nvoise = "marin"\n', 3, "openai.voise", "did you mean `voice`"),
        ('state_dir = "x"\n[limits]\nsession_seconds = 20000\n', 3, "limits.session_seconds", "14400"),
        ('state_dir = "x"\n[openai]\nvad = "none"\n', 3, "openai.vad", "Invalid"),
        ('[openai]\nvoice = "marin"\n', None, "state_dir", "this key is needed"),
        ('state_dir = "x"\n[openai]\napi_key = 5\n', 3, "openai.api_key", "Expected `str`, got `int`"),
        ('state_dir = "x"\n[foo.bar]\nx = 1\n', 2, "foo", "unknown key"),
        (
            f'state_dir = "x"\n{RENDITION}segment_seconds = 1\n{RENDITION}segmnt_seconds = 1\n',
            5,
            "imageflux.channel.renditions.segmnt_seconds",
            "did you mean `segment_seconds`",
        ),
        (
            'state_dir = "x"\n[imageflux.channel]\nrenditions = [{segmnt_seconds = 1}]\n',
            3,
            "imageflux.channel.renditions.segmnt_seconds",
            "did you mean `segment_seconds`",
        ),
        ('state_dir = "x"\n[budget]\nfleet_per_day = -1\n', 2, "budget", "fleet_per_day must be 0 or more"),
        ('state_dir = "x"\n[budget]\nfleet_per_day = 1\n', None, "budget.fleet_per_…", "one may cost 6"),
        ('state_dir = "x"\n[hours]\nopen = ["mon 9-18"]\n', 2, "hours", "is not like"),
        ('state_dir = "x"\n[[groups]]\nname = "a"\nper_day = 2\n', None, "groups.a_per_…", "one may cost 6"),
        ('state_dir = "x"\n[[groups]]\nname = "No Such"\n', 3, "groups.name", "regex"),
        ("state_dir = \n", 1, None, "not TOML"),
    ],
)
def test_mistakes_are_named_with_line_and_key(
    tmp_path: Path, text: str, line: int | None, key: str | None, reason: str
) -> None:
    with pytest.raises(SettingsError, match=reason) as caught:
        load_settings(written(tmp_path, text))
    assert (caught.value.line, caught.value.key) == (line, key)


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot read .*No such file"):
        load_settings(tmp_path / "none.toml")


def test_secrets_come_from_the_file_the_credentials_or_the_environment(tmp_path: Path) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "key").write_text("sk-from-systemd")
    path = written(tmp_path, 'state_dir = "x"\n[openai]\napi_key_file = "key"\n')
    environment = {"CREDENTIALS_DIRECTORY": str(credentials), IMAGEFLUX_TOKEN_VARIABLE: "t-env"}
    settings = loaded(path, environment)
    assert settings.openai.api_key == Secret("sk-from-systemd")
    assert settings.imageflux.token == Secret("t-env")
    assert "sk-from" not in repr(settings)
    inline = loaded(written(tmp_path, 'state_dir = "x"\n[openai]\napi_key = "sk-in"\n'), {OPENAI_KEY_VARIABLE: "no"})
    assert inline.openai.api_key == Secret("sk-in")


def test_the_password_for_home_assistant_s_broker_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("poppy\n")
    settings = loaded(written(tmp_path, 'state_dir = "x"\n[home_assistant]\npassword_file = "home"\n'), {})
    assert settings.home_assistant.password == Secret("poppy")
    assert "poppy" not in repr(settings)


def test_a_secret_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot read .*nothing"):
        loaded(written(tmp_path, 'state_dir = "x"\n[imageflux]\ntoken_file = "nothing"\n'), {})


def test_names_for_the_certificate_leave_out_wildcards() -> None:
    settings = CloudSettings(
        state_dir="x",
        enrol=EnrolSettings(host="::", public_host="cloud.example.com"),
        broker=BrokerSettings(host="10.0.0.2"),
    )
    assert settings.names == ("10.0.0.2", "cloud.example.com", "localhost")


def test_the_store_is_sqlite_beside_the_keys_unless_told(tmp_path: Path) -> None:
    settings = CloudSettings(state_dir=str(tmp_path))
    assert settings.store_url == f"sqlite:///{tmp_path}/store.sqlite3"
    assert replaced(settings, store="postgresql+psycopg://db").store_url == "postgresql+psycopg://db"


def test_low_delay_is_taken_only_with_somebody_at_the_door(tmp_path: Path) -> None:
    text = 'state_dir = "/s"\n[imageflux.channel]\nlow_delay = true\n'
    with pytest.raises(SettingsError, match="auth_webhook_url"):
        load_settings(written(tmp_path, text))
    guarded = load_settings(written(tmp_path, text + 'auth_webhook_url = "https://door.example/"\n'))
    assert guarded.imageflux.channel.low_delay


@pytest.mark.parametrize("table", ["enrol", "broker"])
def test_who_listens_everywhere_must_say_where_boards_find_it(tmp_path: Path, table: str) -> None:
    text = f'state_dir = "/s"\n[{table}]\nhost = "0.0.0.0"\n'
    with pytest.raises(SettingsError, match="by what name") as caught:
        load_settings(written(tmp_path, text))
    assert caught.value.key == f"{table}.public_host"
    load_settings(written(tmp_path, text + 'public_host = "cloud.example.com"\n'))


def test_the_page_about_tools_shows_settings_that_are_good(tmp_path: Path) -> None:
    page = (EXAMPLE.parent / "tools.md").read_text(encoding="utf-8")
    [text] = re.findall(r"```toml\n(\[openai\].*?)```", page, re.DOTALL)
    settings = load_settings(written(tmp_path, f'state_dir = "state"\n{text}'))
    assert "find_exhibit" in settings.openai.tools
    assert CloudSettings(state_dir="state").openai.tools == BUILT_IN


def test_values_of_the_profile_that_do_not_go_together_are_named_with_their_line(tmp_path: Path) -> None:
    text = 'state_dir = "x"\n[openai]\nvad = "server_vad"\neagerness = "high"\n'
    with pytest.raises(SettingsError, match="is for semantic_vad") as raised:
        load_settings(written(tmp_path, text))
    assert (raised.value.line, raised.value.key) == (4, "openai.eagerness")


@pytest.mark.parametrize(
    ("text", "line", "key", "why"),
    [
        ('[[mcp_secrets]]\nname = "a"\nhost = "a.example.com"\n', 2, "mcp_secrets", "needs a token"),
        (
            '[[openai.mcp]]\nlabel = "a"\nurl = "https://a.example.com"\nallowed_tools = ["x"]\nauthorization = "no"\n',
            6,
            "openai.mcp.authorization",
            "there is no",
        ),
    ],
)
def test_what_opens_an_mcp_server_must_be_there(tmp_path: Path, text: str, line: int, key: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why) as raised:
        load_settings(written(tmp_path, f'state_dir = "x"\n{text}'))
    assert (raised.value.line, raised.value.key) == (line, key)


def test_hidden_words_are_as_many_as_a_grant_can_carry(tmp_path: Path) -> None:
    few = load_settings(written(tmp_path, 'state_dir = "x"\n[web]\nhidden_words = ["darn", "ばか"]\n'))
    assert few.web.hidden_words == ("darn", "ばか")
    many = ", ".join(f'"word{number}"' for number in range(1000))
    with pytest.raises(SettingsError, match=r"hidden_words have \d+ bytes, over 4500"):
        load_settings(written(tmp_path, f'state_dir = "x"\n[web]\nhidden_words = [{many}]\n'))
