"""The command `garrison`: its help, its settings pages, and one line for every mistake."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from garrison import __version__
from garrison.cli import main
from garrison.env_file import read_env_file
from garrison.run_cli import run
from garrison.sections import attribute_docs, optional_sections, sections_of, settings_of
from garrison.server.familiar_flags import FAMILIAR
from garrison.stack import Settings

if TYPE_CHECKING:
    from pathlib import Path

CLEARED = ("FORWARDED_ALLOW_IPS", "WEB_CONCURRENCY", "NO_COLOR", "FORCE_COLOR")


def garrison(*words: str, columns: int | None = 80, color: bool = False, **environ: str | None) -> Result:
    """What the command prints, in a terminal of so many columns or in none; what is named is restored."""
    cleared: dict[str, str | None] = dict.fromkeys(CLEARED)
    size = {"COLUMNS": None if columns is None else str(columns)}
    return CliRunner().invoke(
        main, list(words), prog_name="garrison", env={**cleared, **size, **environ}, color=color
    )


def started(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own, ended by itself."""
    kept = {name: text for name, text in os.environ.items() if name not in CLEARED}
    return subprocess.run(
        [sys.executable, *words],
        env={**kept, **environ},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("words", [(), ("--help",), ("run", "--help"), ("config", "-h")])
def test_help_fits_a_terminal(words: tuple[str, ...]) -> None:
    """Help is on standard output, within 80 columns, with whole sentences."""
    found = garrison(*words)
    assert (found.exit_code, found.stderr) == (0, "")
    assert found.stdout.startswith("Usage: garrison ")
    assert max(len(line) for line in found.stdout.splitlines()) <= 80
    assert "..." not in found.stdout.replace("[ARGS]...", "")


def test_help_lists_the_commands_and_examples() -> None:
    """All commands are there, those of the harness too, and the examples are a line each."""
    found = garrison("--help").stdout
    names = [line.split()[0] for line in found.partition("Commands:\n")[2].splitlines()]
    harness = ["check", "explain", "accept", "prove", "load", "drill"]
    assert names == ["run", "config", "contract", "csp", "limits", *harness]
    assert "    garrison run shop.main:app --port 8000\n    garrison config --check\n" in found
    assert "Exit status: 0" in garrison("run", "--help").stdout


def test_version() -> None:
    """`--version` prints the name and the version."""
    assert garrison("--version").stdout == f"garrison {__version__}\n"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("serve",), "No such command 'serve'. `garrison --help` says what there is."),
        (("--loud",), "No such option '--loud'. `garrison --help` says what there is."),
        (("config", "--chek"), "No such option '--chek'."),
        (("config", "--format", "yaml"), "Invalid value for '--format': 'yaml' is not one of"),
        (("config", "more"), "Got unexpected extra argument (more)."),
        (("run", "a:b", "--workers", "0"), "Invalid value for '--workers': 0 is not in the range x>=1."),
        (("run", "a:b", "--port", "http"), "Invalid value for '--port': 'http' is not a valid integer"),
    ],
)
def test_usage_errors_are_one_line(words: tuple[str, ...], line: str) -> None:
    """A wrong command line is exit status 2 and one line that names the help."""
    found = garrison(*words)
    assert (found.exit_code, found.stdout) == (2, "")
    assert found.stderr.startswith(f"garrison: {line}")
    assert found.stderr.endswith(" --help` says what there is.\n")
    assert found.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("--uds /run/shop.sock", "'--uds': use --unix-socket."),
        ("--ssl-keyfile=key.pem", "'--ssl-keyfile': use --tls-key."),
        ("-w 4", "'-w': use --workers."),
        ("-w4", "'-w': use --workers."),
        ("--bind :80", "'--bind': use --host and --port, or --unix-socket."),
        ("--forwarded-allow-ips *", "'--forwarded-allow-ips': set GARRISON_PROXY_TRUSTED."),
    ],
)
def test_flags_of_other_servers_lead_to_ours(words: str, advice: str) -> None:
    """Who comes from uvicorn or gunicorn is told what `run` has for a flag, and not what is spelled alike."""
    found = garrison("run", "a:b", *words.split())
    assert found.exit_code == 2
    assert found.stderr == f"garrison: No such option {advice} `garrison run --help` says what there is.\n"
    assert "use" not in garrison("config", *words.split()).stderr


def test_flags_of_other_servers_lead_to_what_there_is() -> None:
    """No advice names a flag or a variable that is gone, and none is about a flag that `run` has itself."""
    own = {option for parameter in run.params for option in parameter.opts}
    variables = {setting.variable for setting in settings_of(Settings)} | {"GARRISON_ACCESS_LOG"}
    told = " ".join(FAMILIAR.values())
    assert not own & set(FAMILIAR)
    assert set(re.findall(r"--[a-z-]+", told)) <= own
    assert set(re.findall(r"GARRISON_[A-Z_]+", told)) <= variables


def test_every_wrong_variable_is_a_line() -> None:
    """All problems of the environment are shown at once, each on its line, with exit status 2."""
    found = garrison("config", GARRISON_SERVER_PORT="http", GARRISON_SERVER_PROT="8000", WEB_CONCURRENCY="x")
    assert (found.exit_code, found.stdout) == (2, "")
    assert found.stderr.splitlines() == [
        "garrison: GARRISON_SERVER_PORT: expected a whole number, found 'http'.",
        "garrison: WEB_CONCURRENCY: expected a whole number, found 'x'.",
        (
            "garrison: GARRISON_SERVER_PROT: expected a variable that Garrison knows."
            " Did you mean GARRISON_SERVER_PORT?"
        ),
    ]


class TestText:
    """`garrison config` for people."""

    def test_each_section_says_what_it_does(self) -> None:
        """Every setting is there in its section; nothing is marked as long as nothing is set."""
        found = garrison("config").stdout
        for name in sections_of(Settings):
            assert f"\n{name}: " in found
        for setting in settings_of(Settings):
            assert f"\n  {setting.variable} " in f"\n{found}"
        assert "\n*" not in found
        assert "GARRISON_SECURITY_HEADERS_HSTS 730d " in " ".join(found.split())

    @pytest.mark.parametrize("columns", [60, 80, 120])
    def test_it_fits_the_terminal(self, columns: int) -> None:
        """Long defaults are cut, and what somebody set is shown whole, over several lines."""
        names = ",".join(f"x-parameter-{number}" for number in range(20))
        found = garrison("config", columns=columns, GARRISON_REDACTION_QUERY=names).stdout
        # Names are never cut, and neither are the first 20 columns of a value.
        longest = max(len(setting.variable) for setting in settings_of(Settings))
        assert max(len(line) for line in found.splitlines()) <= max(columns, len("  ") + longest + 2 + 20)
        assert "".join(found.split()).count(names) == 1
        (default,) = [line for line in found.splitlines() if "GARRISON_SECURITY_HEADERS_REMOVE" in line]
        assert default.endswith("...")

    def test_no_terminal_no_wrapping(self) -> None:
        """In a pipe each variable is one whole line, as grep and diff want it."""
        found = garrison("config", columns=None).stdout
        assert "..." not in found
        (line,) = [line for line in found.splitlines() if "GARRISON_SECURITY_HEADERS_REMOVE" in line]
        assert line.endswith(",".join(Settings().security_headers.remove))  # type: ignore[union-attr]

    def test_what_is_set_is_marked(self, tmp_path: Path) -> None:
        """A star and the origin stand at everything that somebody decided, equal to the default or not."""
        limits = tmp_path / "limits"
        limits.write_text("5/minute", "utf-8")
        lines = garrison(
            "config", columns=None, GARRISON_RATE_LIMIT_LIMITS_FILE=str(limits), GARRISON_TRACING="off",
            GARRISON_PROFILE="development", GARRISON_SERVER_PORT="8000", WEB_CONCURRENCY="1",
        ).stdout.splitlines()  # fmt: skip
        # Columns are as wide as the longest name of a section.
        assert [" ".join(line.split()) for line in lines if line.startswith("*")] == [
            "* GARRISON_PROFILE development (environment)",
            "* GARRISON_TRACING off (environment)",
            "* GARRISON_ACCESS_LOG_FORMAT console (profile development)",
            "* GARRISON_ERRORS_DETAILS local (profile development)",
            f"* GARRISON_RATE_LIMIT_LIMITS 5/minute (file {limits})",
            "* GARRISON_SERVER_PORT 8000 (environment)",
            "* GARRISON_SERVER_WORKERS 1 (WEB_CONCURRENCY)",
            "* GARRISON_SERVER_DRAIN_DELAY 0s (profile development)",
        ]
        assert not [line for line in lines if "GARRISON_TRACING_CONTINUE" in line]

    def test_colours_are_for_terminals(self) -> None:
        """A terminal gets emphasis, a pipe and NO_COLOR get none."""
        assert "\x1b[36m9000\x1b[0m" in garrison("config", color=True, GARRISON_SERVER_PORT="9000").stdout
        assert "\x1b" not in garrison("config", color=True, NO_COLOR="1", GARRISON_SERVER_PORT="9000").stdout
        assert "\x1b" not in garrison("config", GARRISON_SERVER_PORT="9000").stdout


class TestJson:
    """`garrison config --format json` for scripts."""

    def test_values_and_origins(self) -> None:
        """Every variable has its value and origin, and the sections that are off are listed."""
        found = json.loads(
            garrison(
                "config", "--format", "json", GARRISON_TRACING="off", GARRISON_TRACING_CONTINUE="always",
                GARRISON_SERVER_PORT="9000",
            ).stdout
        )  # fmt: skip
        assert list(found["settings"]) == [setting.variable for setting in settings_of(Settings)]
        assert found["settings"]["GARRISON_SERVER_PORT"] == {"value": "9000", "origin": "environment"}
        assert found["settings"]["GARRISON_TRACING_CONTINUE"]["origin"] == "section off"
        assert found["settings"]["GARRISON_SERVER_HOST"] == {"value": "127.0.0.1", "origin": "default"}
        assert (found["off"], found["unused"]) == (["tracing"], ["GARRISON_TRACING_CONTINUE"])
        assert "advice" not in found

    def test_advice_is_in_the_document(self) -> None:
        """With `--check` the document has what was found, in the order of the text."""
        found = garrison(
            "config", "--format", "json", "--check", columns=None, GARRISON_TRACING="off",
            GARRISON_TRACING_CONTINUE="always", GARRISON_RATE_LIMIT_LIMITS="5/minute", WEB_CONCURRENCY="4",
        )  # fmt: skip
        advice = json.loads(found.stdout)["advice"]
        assert [f"{one['level']}: {one['variable']}: {one['text']}" for one in advice] == (
            found.stderr.splitlines()[:-1]
        )
        assert {"GARRISON_TRACING_CONTINUE", "GARRISON_SERVER_WORKERS"} < {one["variable"] for one in advice}


class TestTemplate:
    """`garrison config --format env`, a file to start from."""

    def test_it_says_nothing_until_it_is_edited(self, tmp_path: Path) -> None:
        """As it is, every assignment is a comment and the settings stay what they are."""
        found = garrison("config", "--format", "env").stdout
        assert [line for line in found.splitlines() if line and not line.startswith("#")] == []
        assert max(len(line) for line in found.splitlines() if "=" not in line) <= 80
        words = " ".join(found.replace("#", " ").split())
        for name, section in sections_of(Settings).items():
            assert f"{name.upper().replace('_', ' ')}: {attribute_docs(Settings)[name]}" in words
            for about in attribute_docs(section).values():
                assert f" {about[0].upper()}{about[1:]} Expects " in words
            switch = f"GARRISON_{name.upper()}=off switches this layer off." in words
            assert switch == (name in optional_sections(Settings))
        assert words.count(" Expects ") == len(settings_of(Settings))
        (tmp_path / "env").write_text(found, "utf-8")
        assert "\n*" not in started("-m", "garrison", "config", "--env-file", str(tmp_path / "env")).stdout

    def test_every_value_is_read_back(self, tmp_path: Path) -> None:
        """With each assignment in force, the effective settings are the same as without."""
        template = garrison("config", "--format", "env").stdout
        lines = [line.removeprefix("#") for line in template.splitlines() if line.startswith("#GARRISON_")]
        assert [line.partition("=")[0] for line in lines] == [one.variable for one in settings_of(Settings)]
        (tmp_path / "env").write_text("\n".join(lines), "utf-8")
        read = started("-m", "garrison", "config", "--format", "json", "--env-file", str(tmp_path / "env"))
        plain = json.loads(garrison("config", "--format", "json").stdout)["settings"]
        values = {name: entry["value"] for name, entry in json.loads(read.stdout)["settings"].items()}
        assert values == {name: entry["value"] for name, entry in plain.items()}

    def test_what_is_set_stays_set(self, tmp_path: Path) -> None:
        """Assignments in force keep a setup: values, files by their names, and sections that are off."""
        limits = tmp_path / "limits"
        limits.write_text("5/minute", "utf-8")
        found = garrison(
            "config", "--format", "env", GARRISON_TRACING="off", GARRISON_SERVER_PORT="9000",
            GARRISON_RATE_LIMIT_LIMITS_FILE=str(limits),
            GARRISON_SECURITY_HEADERS_PAGE_POLICY="default-src 'self'",
            GARRISON_HEALTH_DRAIN_FILE="/run/a #1",
        ).stdout.splitlines()  # fmt: skip
        assert [line for line in found if line and not line.startswith("#")] == [
            "GARRISON_TRACING=off",
            "GARRISON_SECURITY_HEADERS_PAGE_POLICY=default-src 'self'",
            'GARRISON_HEALTH_DRAIN_FILE="/run/a #1"',
            f"GARRISON_RATE_LIMIT_LIMITS_FILE={limits}",
            "GARRISON_SERVER_PORT=9000",
        ]


class TestCheck:
    """`garrison config --check`."""

    def test_warnings_do_not_fail(self) -> None:
        """What production lacks is a warning on stderr that names the variable; the exit status is 0."""
        found = garrison("config", "--check", columns=None)
        assert found.exit_code == 0
        assert "\nwarning: GARRISON_PROXY_TRUSTED: " in f"\n{found.stderr}"
        assert found.stderr.splitlines()[-1] == (
            f"garrison: 0 errors, {found.stderr.count('warning: ')} warnings"
        )

    def test_errors_fail(self) -> None:
        """What is unsafe is exit status 1, and stands last, where a terminal and a CI log leave the eye."""
        found = garrison("config", "--check", WEB_CONCURRENCY="4", GARRISON_RATE_LIMIT_LIMITS="5/minute")
        assert found.exit_code == 1
        lines = found.stderr.splitlines()
        told = [line for line in lines if not line.startswith("  ")]
        assert {line.partition(":")[0] for line in told[:-2]} == {"warning"}
        assert told[-2].startswith("error: GARRISON_SERVER_WORKERS: each of 4 workers counts for itself")
        assert told[-1].startswith("garrison: 1 error, ")
        assert max(map(len, lines)) <= 80

    def test_advice_stands_below_the_settings_and_apart(self) -> None:
        """An empty line is between the two in a terminal; in a file there is nothing but the settings."""
        found = garrison("config", "--check")
        assert found.output.index("\n\nwarning: ") > found.output.index("GARRISON_SERVER_LOG_LEVEL")
        assert found.stderr.startswith("warning: ")
        assert found.stdout == garrison("config").stdout + "\n"

    def test_what_nothing_reads(self) -> None:
        """A variable of a section that is off is worth a warning."""
        found = garrison(
            "config", "--check", columns=None, GARRISON_TRACING="off", GARRISON_TRACING_CONTINUE="always"
        )
        assert "warning: GARRISON_TRACING_CONTINUE: its section is off, so nothing reads it." in found.stderr

    def test_callables_that_are_not_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What quotas name is imported as `garrison run` does it; where it cannot be, that is an error."""
        (tmp_path / "checked_limits.py").write_text("def tenant(request): ...\n", encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", list(sys.path))
        found = garrison(
            "config",
            "--check",
            columns=None,
            GARRISON_RATE_LIMIT_LIMITS="5/minute by checked_limits:tenant",
            GARRISON_RATE_LIMIT_MESSAGES="5/minute by checked_limits:tenent",
            GARRISON_RATE_LIMIT_COSTS="/a: nowhere.at_all:cost",
        )
        sys.modules.pop("checked_limits")
        assert found.exit_code == 1
        assert "checked_limits:tenant cannot" not in found.stderr
        assert (
            "error: GARRISON_RATE_LIMIT_MESSAGES: checked_limits:tenent cannot be used, and"
            " `garrison run` does not start without it. checked_limits has no attribute tenent."
            " Did you mean tenant?\n" in found.stderr
        )
        assert "error: GARRISON_RATE_LIMIT_COSTS: nowhere.at_all:cost cannot be used" in found.stderr

    def test_what_run_refuses_is_an_error(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """TLS files that cannot be read, and an app that is not there or cannot be made."""
        (tmp_path / "checked_shop.py").write_text(
            "print('said at import')\n"
            "def app(environ, start_response): ...\n"
            "def make(): raise OSError('no disk')\n",
            encoding="utf-8",
        )
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", list(sys.path))

        def check(target: str = "checked_shop:app", certificate: str = "", factory: str = "off") -> Result:
            return garrison(
                "config", "--check", "--format", "json", columns=None, GARRISON_SERVER_TARGET=target,
                GARRISON_SERVER_TLS_CERTIFICATE=certificate, GARRISON_SERVER_FACTORY=factory,
            )  # fmt: skip

        fine = check()
        assert (fine.exit_code, json.loads(fine.stdout)["settings"] != {}) == (0, True)
        assert "said at import\n" in fine.stderr
        missing = check(certificate="nope.pem")
        assert missing.exit_code == 1
        assert (
            "error: GARRISON_SERVER_TLS_CERTIFICATE: expected a file that can be read (No such file or"
            " directory), found 'nope.pem'.\n" in missing.stderr
        )
        broken = check("checked_shop:make", factory="on")
        assert broken.exit_code == 1
        assert "calling checked_shop:make failed: OSError: no disk" in broken.stderr
        with monkeypatch.context() as without:
            without.setitem(sys.modules, "a2wsgi", None)
            assert (
                "it: a WSGI app needs a2wsgi. Install it with: pip install 'garrison[server]'\n"
                in check().stderr
            )
        nowhere = check("checked_shop:nope")
        sys.modules.pop("checked_shop")
        assert nowhere.exit_code == 1
        assert (
            "error: GARRISON_SERVER_TARGET: `garrison run` does not start with it: checked_shop has no"
            " attribute 'nope'.\n" in nowhere.stderr
        )

    def test_without_it_there_is_no_advice(self) -> None:
        """Advice is given to who asks, and only then decides the exit status."""
        found = garrison("config", WEB_CONCURRENCY="4", GARRISON_RATE_LIMIT_LIMITS="5/minute")
        assert (found.exit_code, found.stderr) == (0, "")


def test_ctrl_c_is_a_line(tmp_path: Path) -> None:
    """A command that is interrupted while it waits says so, with exit status 4 and no traceback."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    process = subprocess.Popen(
        [sys.executable, "-m", "garrison", "config", "--env-file", str(path)],
        stderr=subprocess.PIPE,
        text=True,
    )
    # Opening waits for the command, which now waits for what is written.
    writer = os.open(path, os.O_WRONLY)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=10)
    os.close(writer)
    assert (process.returncode, stderr) == (4, "garrison: interrupted\n")


def test_the_environment_wins_over_the_env_file(tmp_path: Path) -> None:
    """The file fills in what the environment does not say, variables of others included, and is named."""
    path, limits = tmp_path / "env", tmp_path / "limits"
    limits.write_text("5/minute", "utf-8")
    path.write_text(
        "GARRISON_SERVER_PORT=1\nGARRISON_SERVER_HOST='::1'\nWEB_CONCURRENCY=3\nGARRISON_TRACING=off\n"
        f"GARRISON_RATE_LIMIT_LIMITS_FILE={limits}\n",
        "utf-8",
    )

    def config(form: str) -> str:
        named = dict.fromkeys(read_env_file(path)) | {"GARRISON_SERVER_PORT": "2"}
        words = ("config", "--format", form, "--env-file", str(path))
        return garrison(*words, columns=None, color=False, **named).stdout

    settings = json.loads(config("json"))["settings"]
    assert settings["GARRISON_SERVER_PORT"] == {"value": "2", "origin": "environment"}
    assert settings["GARRISON_SERVER_HOST"] == {"value": "::1", "origin": f"env file {path}"}
    assert settings["GARRISON_SERVER_WORKERS"] == {"value": "3", "origin": "WEB_CONCURRENCY"}
    assert [" ".join(line.split()) for line in config("text").splitlines() if line.startswith("*")] == [
        f"* GARRISON_TRACING off (env file {path})",
        f"* GARRISON_RATE_LIMIT_LIMITS 5/minute (file {limits})",
        f"* GARRISON_SERVER_HOST ::1 (env file {path})",
        "* GARRISON_SERVER_PORT 2 (environment)",
        "* GARRISON_SERVER_WORKERS 3 (WEB_CONCURRENCY)",
    ]
    assert [line for line in config("env").splitlines() if line and not line.startswith("#")] == [
        "GARRISON_TRACING=off",
        f"GARRISON_RATE_LIMIT_LIMITS_FILE={limits}",
        "GARRISON_SERVER_HOST=::1",
        "GARRISON_SERVER_PORT=2",
        "GARRISON_SERVER_WORKERS=3",
    ]
    assert garrison("config", "--env-file", str(tmp_path)).exit_code == 2


@pytest.mark.parametrize(
    "words",
    ["config", "run shop:app", "limits show 192.0.2.1", "contract key alice"],
    ids=lambda words: words.partition(" ")[0],
)
def test_a_wrong_value_is_told_with_its_file(words: str, tmp_path: Path) -> None:
    """Whoever has to mend it is sent to the env file, or to the environment by there being none."""
    path = tmp_path / "shop.env"
    path.write_text("GARRISON_RATE_LIMIT_LIMITS=often\n", "utf-8")
    told = garrison(
        *words.split(), "--env-file", str(path), GARRISON_SERVER_PORT="x", GARRISON_RATE_LIMIT_LIMITS=None
    )
    assert told.exit_code == 2
    assert f"GARRISON_RATE_LIMIT_LIMITS in env file {path}: expected a quota" in told.stderr
    assert "GARRISON_SERVER_PORT: expected" in told.stderr


@pytest.mark.parametrize("words", [("--help",), ("config", "--check")])
def test_looking_at_settings_imports_little(words: tuple[str, ...]) -> None:
    """Help and settings are shown without the harness, Locust and the server."""
    source = (
        "import sys\n"
        "from garrison.cli import main\n"
        "try:\n"
        "    main(sys.argv[1:])\n"
        "finally:\n"
        "    heavy = {'garrison_harness', 'locust', 'gevent', 'uvicorn', 'pytest'}\n"
        "    print('imported:', *heavy & set(sys.modules))\n"
    )
    found = started("-c", source, *words)
    assert found.returncode == 0
    assert found.stdout.endswith("imported:\n")


@pytest.mark.parametrize(
    ("command", "missing", "extra"),
    [
        ("run", "uvicorn", "server"),
        ("check", "garrison_harness", "harness"),
        ("load", "garrison_harness", "load"),
    ],
)
def test_missing_extras(command: str, missing: str, extra: str) -> None:
    """Without an extra the command says what is missing and how to install it, whatever its options."""
    source = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] == {missing!r}:\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name.partition('.')[0])\n"
        "sys.meta_path.insert(0, Absent())\n"
        "from garrison.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    found = started("-c", source, command, "shop:app", "--workers", "2")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        f"garrison: `garrison {command}` needs {missing}. Install it with: pip install 'garrison[{extra}]'\n"
    )
