"""The loader: from variables to sections, and every problem at once."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import pytest

from garrison import Cookies, Proxy, RateLimit, Redaction, RequestId, RequestLimits, SecurityHeaders, Server
from garrison.env_file import read_env_file
from garrison.sections import attribute_docs, optional_sections, sections_of, settings_of
from garrison.settings import Loaded, SettingsError, load, validate
from garrison.stack import Settings
from garrison.units import Duration, Network, Secret, Size
from garrison.wording import describe

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Valve:
    """A section that can be off.

    Attributes:
        size: how much it lets through.
        mode: how it
            closes.
        wait: how long it waits.
        from_: where it takes from.
        key: what opens it.
        url: where it reports.
        lock: what holds it.
    """

    size: Size = 10
    mode: Literal["fast", "slow"] = "fast"
    wait: Duration | None = None
    from_: tuple[Network, ...] = ()
    key: Secret | None = None
    url: str = ""
    lock: Literal["key", "bolt"] | None = "key"

    DEVELOPMENT: ClassVar[Mapping[str, object]] = {"mode": "slow"}

    def __post_init__(self) -> None:
        validate(self, ("size", self.size <= 1000, "at most 1kB"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pump:
    """A section that is always there."""

    speed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The whole."""

    profile: Literal["production", "development"] = "production"
    valve: Valve | None = field(default_factory=Valve)
    pump: Pump = field(default_factory=Pump)


def loaded(**environ: str) -> Loaded[House]:
    """What these variables make, with `GARRISON_` in front of each."""
    return load(House, environ={f"GARRISON_{name}": text for name, text in environ.items()})


def problems(**environ: str) -> list[str]:
    """What is wrong with these variables, a line for each."""
    with pytest.raises(SettingsError) as caught:
        loaded(**environ)
    return str(caught.value).splitlines()


def test_nothing_set_is_every_default() -> None:
    """An empty environment makes the defaults, and no value claims another origin."""
    found = load(House, environ={"PATH": "/bin", "HOME": "/"})
    assert (found.value, found.origins, found.unused) == (House(), {}, ())


def test_each_field_has_its_variable() -> None:
    """Variables reach the fields of their sections, and what is not set keeps its default."""
    found = loaded(VALVE_SIZE="1kB", VALVE_FROM="10.0.0.0/8", VALVE_WAIT="2s", PUMP_SPEED="3")
    assert found.value.pump == Pump(speed=3)
    valve = found.value.valve
    assert valve is not None
    assert (valve.size, str(valve.from_[0]), valve.wait, valve.mode) == (1000, "10.0.0.0/8", 2.0, "fast")
    assert set(found.origins.values()) == {"environment"}
    assert set(found.origins) == {
        "GARRISON_VALVE_SIZE", "GARRISON_VALVE_FROM", "GARRISON_VALVE_WAIT", "GARRISON_PUMP_SPEED"
    }  # fmt: skip


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an environment of its own the loader reads that of the process."""
    monkeypatch.setenv("GARRISON_PUMP_SPEED", "9")
    assert load(House).value.pump.speed == 9


@pytest.mark.parametrize("word", ["off", "OFF", "false", "no", "0", " off "])
def test_a_section_can_be_switched_off(word: str) -> None:
    """`off` makes a section None; what is set for it is reported as unused, not as an error."""
    found = loaded(VALVE=word, VALVE_SIZE="3")
    assert found.value.valve is None
    assert found.unused == ("GARRISON_VALVE_SIZE",)


@pytest.mark.parametrize("word", ["on", "true", "yes", "1", ""])
def test_a_section_can_be_said_to_be_on(word: str) -> None:
    """`on`, like nothing, leaves the section there with its variables."""
    found = loaded(VALVE=word, VALVE_SIZE="3")
    assert (found.value.valve, found.unused) == (Valve(size=3), ())


def test_what_cannot_be_off_says_so() -> None:
    """A section that something always needs is not switched off silently, nor anything by a typo."""
    assert problems(PUMP="off", VALVE="of") == [
        "GARRISON_VALVE: expected on or off, found 'of'.",
        "GARRISON_PUMP: expected on: this section cannot be switched off, found 'off'.",
    ]
    assert optional_sections(House) == {"valve"}


def test_every_problem_at_once() -> None:
    """One start shows all mistakes: the variable, what it expects, what it has, and the nearest name."""
    unknown = "expected a variable that Garrison knows."
    assert problems(
        VALVE_SIZE="lots", VALVE_MODE="fats", VALVE_WAIT="soon", VALVE_FROM="10.0.0.1/8",
        PUMP_SPEED="", PUMP_SPED="3", PROFILE="prod", COMPLETELY_DIFFERENT="x",
    ) == [
        "GARRISON_PROFILE: expected one of production, development, found 'prod'.",
        "GARRISON_VALVE_SIZE: expected a size such as 512, 64KiB or 10MB, found 'lots'.",
        "GARRISON_VALVE_MODE: expected one of fast, slow, found 'fats'. Did you mean fast?",
        "GARRISON_VALVE_WAIT: expected a duration such as 250ms, 30s or 1h30m, or off, found 'soon'.",
        f"GARRISON_VALVE_FROM: expected {describe(tuple[Network, ...])}, found '10.0.0.1/8'.",
        "GARRISON_PUMP_SPEED: expected a whole number, found ''.",
        f"GARRISON_COMPLETELY_DIFFERENT: {unknown} `garrison config --format env` lists them.",
        f"GARRISON_PUMP_SPED: {unknown} Did you mean GARRISON_PUMP_SPEED?",
    ]  # fmt: skip


def test_a_sections_own_rules_name_the_variable() -> None:
    """What a section refuses is reported under the variable, in the notation of variables."""
    assert problems(VALVE_SIZE="2kB", VALVE_WAIT="soon") == [
        "GARRISON_VALVE_WAIT: expected a duration such as 250ms, 30s or 1h30m, or off, found 'soon'.",
        "GARRISON_VALVE_SIZE: expected at most 1kB, found '2kB'.",
    ]


def test_a_section_made_in_code_names_the_field() -> None:
    """In code the same rule names the class and the field, and wrong words are caught too."""
    with pytest.raises(SettingsError, match=r"^Valve\.size: expected at most 1kB, found '2kB'\.$"):
        Valve(size=2000)
    with pytest.raises(SettingsError, match=r"^Valve\.mode: expected one of fast, slow, found 'fats'\.$"):
        Valve(mode="fats")  # type: ignore[arg-type]
    with pytest.raises(
        SettingsError, match=r"^Valve\.lock: expected one of key, bolt, or off, found 'tape'\.$"
    ):
        Valve(lock="tape")  # type: ignore[arg-type]
    assert Valve(lock=None) != Valve(lock="bolt")


def test_names_that_kubernetes_injects_are_ignored() -> None:
    """A service that happens to be called garrison does not break the app beside it."""
    injected = {
        "GARRISON_PORT": "tcp://10.0.0.1:80",
        "GARRISON_SERVICE_HOST": "10.0.0.1",
        "GARRISON_SERVICE_PORT": "80",
        "GARRISON_SERVICE_PORT_HTTP": "80",
        "GARRISON_PORT_80_TCP": "tcp://10.0.0.1:80",
        "GARRISON_PORT_80_TCP_PROTO": "tcp",
        "GARRISON_PORT_80_TCP_PORT": "80",
        "GARRISON_PORT_80_TCP_ADDR": "10.0.0.1",
    }
    assert load(House, environ=injected).value == House()
    assert load(Settings, environ=injected).value == Settings()
    assert len(problems(PORTAL="x", PORT_80_TCP_COLOUR="x", SERVICES_HOST="x")) == 3


def test_no_setting_takes_a_name_that_kubernetes_injects() -> None:
    """Every variable of ours is heard, since none of them could come from Kubernetes."""
    for setting in settings_of(Settings):
        assert not re.match(r"GARRISON_(SERVICE_|PORT$|PORT_\d)", setting.variable)


class TestFiles:
    """Values that come from files, as container secrets do."""

    def test_a_file_holds_the_value(self, tmp_path: Path) -> None:
        """The line end that every editor adds is no part of it; the origin names the file."""
        path = tmp_path / "key"
        path.write_text("hunter2\n", encoding="utf-8")
        found = loaded(VALVE_KEY_FILE=str(path))
        assert found.value.valve is not None
        assert found.value.valve.key == Secret("hunter2")
        assert found.origins == {"GARRISON_VALVE_KEY": f"file {path}"}

    def test_a_switch_can_come_from_a_file(self, tmp_path: Path) -> None:
        """Whatever is a variable can be a file."""
        path = tmp_path / "switch"
        path.write_text("off", encoding="utf-8")
        assert loaded(VALVE_FILE=str(path)).value.valve is None

    def test_unreadable_files_are_named(self, tmp_path: Path) -> None:
        """A file that is missing, a directory, or no text is named with the reason."""
        binary = tmp_path / "binary"
        binary.write_bytes(b"\xff\xfe")
        expected = "expected the path of a readable file, found"
        assert problems(
            VALVE_KEY_FILE=str(tmp_path / "missing"),
            VALVE_URL_FILE=str(tmp_path),
            PUMP_SPEED_FILE=str(binary),
        ) == [
            f"GARRISON_VALVE_KEY_FILE: {expected} '{tmp_path}/missing'. No such file or directory.",
            f"GARRISON_VALVE_URL_FILE: {expected} '{tmp_path}'. Is a directory.",
            f"GARRISON_PUMP_SPEED_FILE: {expected} '{binary}'. not UTF-8 text.",
        ]

    def test_both_is_a_contradiction(self, tmp_path: Path) -> None:
        """A variable and its file together are not resolved by guessing."""
        path = tmp_path / "speed"
        path.write_text("3", encoding="utf-8")
        assert problems(PUMP_SPEED="4", PUMP_SPEED_FILE=str(path)) == [
            "GARRISON_PUMP_SPEED: expected either this variable or GARRISON_PUMP_SPEED_FILE, not both."
        ]

    @pytest.mark.parametrize("name", ["PUMP_SPEED", "VALVE_SIZE", "VALVE_MODE"])
    def test_what_a_file_holds_is_never_shown(self, name: str, tmp_path: Path) -> None:
        """Whoever names the wrong file does not find the secret in it in the log."""
        path = tmp_path / "file"
        path.write_text("fassst-hunter2", encoding="utf-8")
        (line,) = problems(**{f"{name}_FILE": str(path)})
        assert line.startswith(f"GARRISON_{name}_FILE: expected ")
        assert "hunter2" not in line
        assert "found" not in line

    def test_what_a_section_quotes_of_a_file_is_not_shown(self, tmp_path: Path) -> None:
        """A section's own complaint about a value is cut where it would repeat the value."""
        path = tmp_path / "file"
        path.write_text("hunter2", encoding="utf-8")
        with pytest.raises(SettingsError) as caught:
            load(Settings, environ={"GARRISON_RATE_LIMIT_LIMITS_FILE": str(path)})
        assert str(caught.value).startswith("GARRISON_RATE_LIMIT_LIMITS_FILE: expected a quota such as")
        assert "hunter2" not in str(caught.value)


class TestSecret:
    """The secret of all hashes, which is no part of a section."""

    def test_it_is_read(self, tmp_path: Path) -> None:
        """It can be a variable or a file, and is not shown either way."""
        path = tmp_path / "secret"
        path.write_text("sixteen letters!\n", encoding="utf-8")
        for environ in (
            {"GARRISON_SECRET": "sixteen letters!"},
            {"GARRISON_SECRET_FILE": str(path)},
        ):
            found = load(Settings, environ=environ).value
            assert found.secret == Secret("sixteen letters!")
            assert "sixteen" not in repr(found)
        assert load(Settings, environ={}).value.secret is None

    def test_a_short_one_is_named_by_its_variable(self, tmp_path: Path) -> None:
        """What could be guessed is refused, where it came from is said, and what it is is not."""
        path = tmp_path / "secret"
        path.write_text("hunter2", encoding="utf-8")
        for environ, variable in (
            ({"GARRISON_SECRET": "hunter2"}, "GARRISON_SECRET"),
            ({"GARRISON_SECRET_FILE": str(path)}, "GARRISON_SECRET_FILE"),
        ):
            with pytest.raises(SettingsError) as caught:
                load(Settings, environ=environ)
            assert str(caught.value).startswith(f"{variable}: expected at least 16 characters")
            assert "hunter2" not in str(caught.value)


def test_secrets_and_credentials_are_not_in_problems() -> None:
    """A problem with a secret says what was expected; a URL is shown without its password."""
    assert problems(VALVE_KEY="   ", VALVE_SIZE="redis://u:hunter2@h") == [
        "GARRISON_VALVE_SIZE: expected a size such as 512, 64KiB or 10MB, found 'redis://***@h'.",
        "GARRISON_VALVE_KEY: expected a secret text that is not empty, or off.",
    ]
    assert "hunter2" not in repr(loaded(VALVE_KEY="hunter2").value)


def test_development_has_other_defaults_and_no_more() -> None:
    """The profile changes defaults only: what is set, or given in code, wins over it."""
    found = loaded(PROFILE="development")
    assert found.value.valve == Valve(mode="slow")
    assert found.origins["GARRISON_VALVE_MODE"] == "profile development"
    assert loaded(PROFILE="development", VALVE_MODE="fast").value.valve == Valve()
    assert loaded(PROFILE="development", VALVE="off").value.valve is None
    given = load(House, environ={}, overrides={"profile": "development"})
    assert given.value.valve == Valve(mode="slow")


class TestCode:
    """Settings that code gives beside the environment."""

    def test_code_wins(self) -> None:
        """A section given in code is taken whole, None included; the rest is the environment's."""
        environ = {"GARRISON_VALVE_SIZE": "3", "GARRISON_PUMP_SPEED": "5", "GARRISON_PROFILE": "development"}
        found = load(House, environ=environ, overrides={"valve": Valve(size=7), "profile": "production"})
        assert found.value == House(valve=Valve(size=7), pump=Pump(speed=5))
        assert found.origins["GARRISON_VALVE_SIZE"] == "code"
        assert found.origins["GARRISON_PROFILE"] == "code"
        assert found.origins["GARRISON_PUMP_SPEED"] == "environment"
        assert load(House, environ=environ, overrides={"valve": None}).value.valve is None

    def test_a_section_that_does_not_exist_is_a_type_error(self) -> None:
        """A misspelt section in code fails as any misspelt argument does."""
        with pytest.raises(TypeError, match="valvve"):
            load(House, environ={}, overrides={"valvve": Valve()})

    def test_from_environment_mixes_both(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """`Settings.from_environment` takes sections by name."""
        monkeypatch.setenv("GARRISON_REQUEST_ID_ACCEPT", "never")
        found = Settings.from_environment(rate_limit=None)
        assert found.rate_limit is None
        assert found.request_id is not None
        assert found.request_id.accept == "never"


def test_defaults_of_a_command_come_last() -> None:
    """A command's own default yields to a variable; where it is wrong, its own source is named."""
    defaults = {"GARRISON_PUMP_SPEED": ("7", "command"), "GARRISON_VALVE_SIZE": ("lots", "VALVE_CONCURRENCY")}
    environ = {"GARRISON_VALVE_SIZE": "5"}
    found = load(House, environ=environ, defaults=defaults)
    assert (found.value.pump.speed, found.value.valve) == (7, Valve(size=5))
    assert found.origins == {"GARRISON_PUMP_SPEED": "command", "GARRISON_VALVE_SIZE": "environment"}
    with pytest.raises(SettingsError, match=r"^VALVE_CONCURRENCY: expected a size .* found 'lots'\.$"):
        load(House, environ={}, defaults=defaults)
    with pytest.raises(SettingsError, match=r"^VALVE_CONCURRENCY: expected at most 1kB, found '3kB'\.$"):
        load(House, environ={}, defaults={"GARRISON_VALVE_SIZE": ("3kB", "VALVE_CONCURRENCY")})


def test_docstrings_are_the_reference() -> None:
    """The description of a field is its entry in `Attributes:`, on one line."""
    assert attribute_docs(Valve)["mode"] == "how it closes."
    assert attribute_docs(Pump) == {}


@pytest.mark.parametrize("section", [Settings, *sections_of(Settings).values()])
def test_every_setting_is_documented(section: type) -> None:
    """Every field of every section has its entry in the reference, in its place, and nothing else has."""
    _, _, text = (inspect.getdoc(section) or "").partition("Attributes:\n")
    assert re.findall(r"^ {4}(\w+): ", text, re.MULTILINE) == [item.name for item in fields(section)]
    docs = attribute_docs(section)
    assert list(docs) == [item.name for item in fields(section)]
    for name, description in docs.items():
        assert description.endswith("."), name


class TestEnvFile:
    """The file that `--env-file` names."""

    def test_lines_are_variables(self, tmp_path: Path) -> None:
        """Comments, blank lines, `export`, blanks and quotes are what people and tools write."""
        path = tmp_path / "env"
        path.write_text(
            "# a comment\n\nA=1\nexport B = two words \nC='quoted # here'\nD=\"x=y\"\nE=\n"
            "F=base-uri 'self'\nG='\n",
            encoding="utf-8",
        )
        assert read_env_file(path) == {
            "A": "1", "B": "two words", "C": "quoted # here", "D": "x=y", "E": "", "F": "base-uri 'self'",
            "G": "'",
        }  # fmt: skip

    def test_comments_behind_values(self, tmp_path: Path) -> None:
        """A blank and a `#` begin one, unless they are in quotes, as python-dotenv has it."""
        path = tmp_path / "env"
        path.write_text(
            'A=100/minute # for now\nB=a#b\nC=#fff\nD=\'a # b\' # c\nE= # nothing\nF="a"  # say "b"\n'
            "G='a'b'\nH=a\t# tab\nI='none'#of these\n",
            encoding="utf-8",
        )
        assert read_env_file(path) == {
            "A": "100/minute", "B": "a#b", "C": "#fff", "D": "a # b", "E": "", "F": "a", "G": "a'b", "H": "a",
            "I": "'none'#of these",
        }  # fmt: skip

    def test_broken_lines_are_counted_not_quoted(self, tmp_path: Path) -> None:
        """Each line that is no variable is named by its number, since it may hold a secret."""
        path = tmp_path / "env"
        path.write_text("A=1\nhunter2\n1B=hunter2\n=hunter2\nC=a\0hunter2\n", encoding="utf-8")
        with pytest.raises(SettingsError) as caught:
            read_env_file(path)
        assert str(caught.value).splitlines() == [
            f"{path}, line {number}: expected NAME=value." for number in (2, 3, 4, 5)
        ]

    def test_a_file_that_cannot_be_read(self, tmp_path: Path) -> None:
        """A missing file and a binary one are named as the flag's."""
        with pytest.raises(SettingsError, match=r"^--env-file: .*missing'\. No such file or directory\.$"):
            read_env_file(tmp_path / "missing")
        (tmp_path / "binary").write_bytes(b"\xff")
        with pytest.raises(SettingsError, match=r"^--env-file: .* not UTF-8 text\.$"):
            read_env_file(tmp_path / "binary")


@pytest.mark.parametrize(
    ("section", "field", "value", "message"),
    [
        (RateLimit, "limits", 5, "RateLimit.limits: expected a text, found '5'. In code this is str."),
        (RequestLimits, "max_body", "10MB", "In code this is int, a number of bytes."),
        (RequestLimits, "max_upload", True, "In code this is int, a number of bytes, or None."),
        (SecurityHeaders, "hsts", "1d", "In code this is float, a number of seconds."),
        (SecurityHeaders, "remove", ["server"], "In code this is a tuple, each str."),
        (Proxy, "trusted", ("::1",), "a tuple, each ip_network() of the module ipaddress."),
        (RequestId, "accept", None, "expected one of trusted, always, never, found 'off'. In code"),
        (Server, "port", None, "Server.port: expected a whole number, found 'off'. In code this is int."),
        (Cookies, "secure", 1, "In code this is bool."),
        (Redaction, "patterns", ("(x",), """expected a text, found "('(x',)". In code this is str."""),
    ],
)
def test_a_value_of_the_wrong_type_is_found_when_the_app_starts(
    section: type[Any], field: str, value: object, message: str
) -> None:
    """What is written in code is checked as well as what stands in the environment, and told in its terms."""
    with pytest.raises(SettingsError) as caught:
        section(**{field: value})
    assert message in str(caught.value)
