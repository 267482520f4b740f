"""The options of `garrison check`, seen through what it reports and through what it refuses."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from garrison_harness.cli import check as check_command
from tests.harness.commands import APPS, check, listens, wait_until
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCUMENT = {
    "openapi": "3.1.0",
    "paths": {"/": {"get": {"security": [{"key": []}], "responses": {}}}},
    "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
}


def results(*words: str | Path, status: int | None = None) -> dict[str, Any]:
    """What each check ended with, by its id."""
    ran = check("--format", "json", *words)
    assert ran.stdout, ran.stderr
    if status is not None:
        assert ran.status == status, ran.stderr
    return {found["id"]: found for found in json.loads(ran.stdout)["checks"]}


def evidence(result: dict[str, Any]) -> str:
    """All that a check shows as proof."""
    return "\n".join(line for found in result["findings"] for line in found["evidence"])


@pytest.mark.parametrize(
    ("server", "banner"),
    [("uvicorn", "server: uvicorn"), ("granian", "server: granian"), ("hypercorn", "server: hypercorn")],
)
def test_an_import_string_is_booted_under_the_server_of_choice(server: str, banner: str) -> None:
    """Each shows itself, and the checks go on as ever."""
    found = results("--server", server, "--select", "H9,H2", "good_app:app")

    assert banner in evidence(found["H9"])
    assert found["H2"]["status"] == "passed"


def test_garrison_is_a_server_among_others() -> None:
    """It hardens what it serves, as --harden says, and takes the app's banner away."""
    words = ["--select", "H1,H9", "--header", "X-Key: opensesame", "locked_app:app"]

    plain, hardened = results(*words), results("--server", "garrison", *words)

    assert (plain["H1"]["status"], plain["H9"]["status"]) == ("failed", "failed")
    assert (hardened["H1"]["status"], hardened["H9"]["status"]) == ("passed", "passed")
    assert results("--harden", *words)["H1"]["status"] == "passed"


def test_in_process_there_is_no_server_and_no_connection() -> None:
    """What an app says is judged, and what only a server could say is not run."""
    found = results("--in-process", "--select", "H2,H9,H12,G1,T4", "good_app:app", status=0)

    assert (found["H2"]["status"], found["H9"]["status"]) == ("passed", "passed")
    assert {found[name]["status"] for name in ("H12", "G1", "T4")} == {"not run"}
    assert "run without --in-process" in found["T4"]["reason"]


@pytest.mark.parametrize("how", [[], ["--in-process"]], ids=["a server", "in process"])
def test_a_variable_reaches_the_app(how: list[str]) -> None:
    """However it is driven; its value may hold an equals sign."""
    words = ["--select", "H9", "--header", "X-Key: opensesame", "locked_app:app"]

    assert "x-powered-by: Shop/1=2" in evidence(results(*how, "--env", "SHOP_BANNER=Shop/1=2", *words)["H9"])
    assert "x-powered-by" not in evidence(results(*how, *words)["H9"])


def test_a_header_goes_along_with_every_request() -> None:
    """Without it there is no page to judge, and the audit says what is missing."""
    stranger = check("--in-process", "--select", "H2", "locked_app:app")
    known = check("--in-process", "--select", "H2", "--header", "X-Key: opensesame", "locked_app:app")

    assert stranger.status == 4
    assert "401" in stranger.stdout
    assert known.status == 0


def test_a_document_in_a_file_is_used(tmp_path: Path) -> None:
    """What it declares is checked against an app that has none."""
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(DOCUMENT))
    words = ["--in-process", "--select", "X2", "locked_app:app"]

    assert results("--openapi", file, *words)["X2"]["status"] == "passed"
    assert "--openapi" in results(*words)["X2"]["reason"]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["R10"], "not run", "--slow-path"),
        (["R10", "--slow-path", "/slow"], "not run", "--time-limit"),
        (["R10", "--slow-path", "/slow", "--time-limit", "0.2"], "failed", "in place of 503 or 504"),
        (["R10", "--slow-path", "/slow", "--time-limit", "5"], "not run", "name a slower route"),
        (["R11", "--slow-path", "/slow"], "not run", "--concurrency"),
        (["R11", "--slow-path", "/slow", "--concurrency", "4"], "failed", "over the declared bound of 4"),
        (["R7", "--slow-limit", "0.5"], "failed", "for more than 1.5 s"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_a_limit_is_judged_once_it_is_declared(words: list[str], status: str, said: str) -> None:
    """What depends on it is not run without, and the reason names the option."""
    (found,) = results("--select", *words, "ticking_app:app").values()

    assert found["status"] == status
    assert said in (found["reason"] or found["findings"][0]["message"])


def test_from_one_address_the_checks_take_turns() -> None:
    """The quota is shared and waited for, and what needs a stranger is not run."""
    words = ["--path", "/quota", "--quota", "4/second", "--select", "L1,L2,H1", "ticking_app:app"]

    one, many = results("--one-address", *words), results(*words)

    assert (one["L1"]["status"], one["H1"]["status"]) == ("passed", "failed")
    assert "one address" in one["L2"]["reason"]
    assert "/quota/" in many["L2"]["findings"][0]["evidence"][0]


@contextmanager
def served_on(host: str) -> Iterator[str]:
    """The app on an address of this machine."""
    port = free_port()
    words = [sys.executable, "-m", "uvicorn", "--host", host, "--port", str(port), "ticking_app:app"]
    server = subprocess.Popen(words, cwd=APPS, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert wait_until(lambda: listens(host, port))
        yield f"http://{host}:{port}/"
    finally:
        server.terminate()
        server.wait(10)


def test_another_host_is_audited_once_its_owner_says_so() -> None:
    """Without the word of its owner nobody is asked anything; here it is this machine by another address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
        try:
            route.connect(("192.0.2.254", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        own = route.getsockname()[0]
    with served_on(own) as url:
        refused = check("--select", "M1", url)
        found = results("--i-own-this-host", "--select", "M1,G1", url)

    assert refused.status == 2
    assert "garrison check --i-own-this-host" in refused.error_line
    assert found["M1"]["status"] == "passed"
    assert "not started here" in found["G1"]["reason"]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--server", "apache", "a:b"], "'apache' is not one of"),
        (["--server", "granian", "http://127.0.0.1:1/"], "--server needs an import string"),
        (["--server", "granian", "--harden", "a:b"], "--harden starts garrison run, and --server asks"),
        (["--in-process", "--server", "uvicorn", "a:b"], "--in-process starts no server, and --server asks"),
        (["--in-process", "--harden", "a:b"], "--in-process starts no server, and --harden asks"),
        (["--in-process", "http://127.0.0.1:1/"], "--in-process needs an import string"),
        (["--env", "SHOP_BANNER", "a:b"], "'SHOP_BANNER' begins no variable: write it as NAME=value"),
        (["--env", "=b", "a:b"], "begins no variable"),
        (["--env", "A=b", "http://127.0.0.1:1/"], "--env is for what is started here"),
        (["--header", "X-Key", "a:b"], "'X-Key' begins no header: write it as"),
        (["--header", "X Key: a", "a:b"], "'X Key' begins no header"),
        (["--header", "X-Key: a\r\nX-B: c", "a:b"], "begins no header"),
        (["--slow-path", "slow", "a:b"], "'slow' is no path"),
        (["--time-limit", "0", "a:b"], "not in the range"),
        (["--time-limit", "soon", "a:b"], "'soon' is not a valid float"),
        (["--slow-limit", "61", "a:b"], "not in the range"),
        (["--concurrency", "0", "a:b"], "not in the range"),
        (["--concurrency", "51", "a:b"], "not in the range"),
        (["--i-own-this-host", "ftp://shop.example/"], "the URL must be http://host:port/"),
    ],
)  # fmt: skip
def test_an_option_that_cannot_be_used_is_one_line(words: list[str], line: str) -> None:
    """Exit status 2, before anything is started."""
    ran = CliRunner().invoke(check_command, words)

    (only_line,) = ran.stderr.splitlines()
    assert ran.exit_code == 2
    assert line in only_line
    assert ran.stdout == ""


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (["--in-process", "no_such_module:app"], 3, "could not be loaded: ModuleNotFoundError"),
        (["--in-process", "good_app:ap"], 3, "good_app has no attribute 'ap'. Did you mean 'app'?"),
        (["--in-process", "good_app:LIMIT"], 3, "no attribute 'LIMIT'"),
        (["--in-process", "good_app:MAX_BODY"], 3, "is of type int, which is no ASGI app"),
        (["--in-process", "--factory", "good_app:app"], 3, "check module, attribute and --factory"),
        (["--in-process", "factory_app:create"], 3, "add --factory"),
        (["--in-process", "--openapi", "/nowhere", "good_app:app"], 2, "/nowhere answered 404"),
        (["--openapi", "nowhere.json", "good_app:app"], 2, "there is no such file"),
        (["--server", "granian", "no_such_module:app"], 3, "no_such_module"),
        (["--server", "hypercorn", "no_such_module:app"], 3, "no_such_module"),
        (["--server", "hypercorn", "good_app:ap"], 3, "good_app"),
        (["--server", "granian", "factory_app:create"], 3, "add --factory"),
        (["wsgi_app:app"], 3, "wsgi_app:app is a WSGI app and no ASGI app: give"),
        (["--server", "granian", "wsgi_app:app"], 3, "is a WSGI app and no ASGI app"),
        (["--in-process", "wsgi_app:app"], 3, "{port} 'wsgi_app:app', or --harden"),
        (["--server", "hypercorn", "factory_app:create"], 3, "add --factory"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)  # fmt: skip
def test_what_cannot_be_driven_is_one_line_with_the_cause(words: list[str], status: int, line: str) -> None:
    """However it was to be driven, and without a traceback."""
    ran = check(*words)

    assert line in ran.error_line
    assert ran.status == status
    assert "Traceback" not in ran.stdout


@pytest.mark.parametrize("server", ["hypercorn", "garrison"])
def test_servers_that_take_wsgi_apps_are_left_to_it(server: str) -> None:
    """They serve one as it is."""
    assert results("--server", server, "--select", "M1", "wsgi_app:app", status=0)


@pytest.mark.parametrize("server", ["uvicorn", "granian", "hypercorn", "garrison"])
def test_a_factory_is_called_by_every_server(server: str) -> None:
    """Where it is said to be one."""
    assert results("--factory", "--server", server, "--select", "M1", "factory_app:create", status=0)
