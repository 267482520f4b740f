"""The composite action: what it is made of, and its steps run by bash as on a runner."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.documents import DOCS, ROOT, blocks
from tests.integration.github_runner import ACTION, EXPRESSION, Job, action

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE = DOCS / "how-to" / "github-actions.md"
PINNED = re.compile(r"[\w-]+/[\w/.-]+@[0-9a-f]{40}( # v\d+\.\d+\.\d+)")

APP = '''\
async def app(scope, receive, send):
    """Answers a page in anybody's frame, and nothing else."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"x-content-type-options", b"nosniff")]
    status = 200 if scope["path"] == "/" and scope["method"] in {"GET", "HEAD"} else 404
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"<!doctype html><title>Shop</title>"})
'''


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A repository with an app that has a page to be framed."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "shop.py").write_text(APP, encoding="utf-8")
    (folder / ".git").mkdir()
    return folder


def job(workspace: Path, inputs: Mapping[str, str], **environ: str) -> Job:
    """One use of the action, in the Python that runs this test."""
    return Job(
        folder=workspace.parent,
        workspace=workspace,
        inputs={"python": sys.executable, **inputs},
        environ=environ,
    )


def test_no_expression_is_in_a_script() -> None:
    """Whatever stands in a branch's name or an input is a value, and never a part of what bash reads."""
    steps = action()["runs"]["steps"]

    assert [step["shell"] for step in steps if "run" in step] == ["bash"] * 3
    assert not [step["name"] for step in steps if "${{" in step.get("run", "")]


def test_every_expression_names_what_there_is() -> None:
    """A misspelt input would be an empty text."""
    document = action()
    text = ACTION.read_text(encoding="utf-8")
    named = {(found[1], found[2]) for found in EXPRESSION.finditer(text)}
    named |= set(re.findall(r"\b(inputs|steps)\.([\w.-]+)(?= (?:==|!=))", text))
    outputs = {f"audit.outputs.{name}" for name in document["outputs"]}

    assert {name for kind, name in named if kind == "inputs"} == set(document["inputs"])
    assert {name for kind, name in named if kind == "steps"} == outputs
    assert text.count("${{") == len(EXPRESSION.findall(text)) + sum(
        "if" in step for step in document["runs"]["steps"]
    )


@pytest.mark.parametrize("path", [ACTION, PAGE], ids=["action", "guide"])
def test_actions_of_others_are_pinned(path: Path) -> None:
    """To a commit, with the release beside it for people and for bots that renew it."""
    uses = re.findall(r"uses: (.+)", path.read_text(encoding="utf-8"))
    others = [one for one in uses if not one.startswith("OWNER/")]

    assert len(others) >= 2
    assert all(PINNED.fullmatch(one) for one in others), others


def test_garrison_is_installed_where_it_is_not(workspace: Path, tmp_path: Path) -> None:
    """From the action's own checkout, so that the pin of the action is that of the tool."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    python = venv / "bin" / "python"
    (site,) = venv.glob("lib/*/site-packages")
    # Everything but Garrison itself, which is there by a .pth file that counts in its own environment only.
    (site / "others.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "false", "PIP_NO_DEPS": "1"}
    ask = [str(python), "-c", "import garrison_harness; print(garrison_harness.__file__)"]
    assert subprocess.run(ask, cwd=workspace, capture_output=True, check=False).returncode == 1

    told = tmp_path / "told"
    spy = tmp_path / "python"
    spy.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {told}\nexec {python} "$@"\n', encoding="utf-8")
    spy.chmod(0o755)

    step = job(workspace, {"python": str(spy)}, **offline).run("Install Garrison")

    assert step.status == 0, step.log
    assert told.read_text("utf-8").splitlines()[-1] == f"{ROOT}[harness]"
    found = subprocess.run(ask, cwd=workspace, capture_output=True, text=True, check=True).stdout
    assert Path(found).is_relative_to(site)


def test_garrison_is_left_alone_where_it_is(workspace: Path) -> None:
    """A project that pins it has the one that it pins."""
    step = job(workspace, {}).run("Install Garrison")

    assert (step.status, step.log.partition(":")[0]) == (0, "Garrison is there already")


def test_a_finding_is_told_everywhere_and_fails_the_job(workspace: Path) -> None:
    """Log, annotations at the repository's file, summary and SARIF tell of it; the last step fails."""
    folder = workspace / "src"
    folder.mkdir()
    shutil.move(workspace / "shop.py", folder)
    inputs = {
        "target": "shop:app",
        "working-directory": "src",
        "arguments": "--in-process\n--select=H1,H2\n",
        "reports": "html, json, junit",
    }
    use = job(workspace, inputs)
    step = use.run("Audit")

    assert step.status == 0, step.log
    assert step.outputs["status"] == "1"
    assert re.search(r"^FAIL  H2 ", step.log, re.MULTILINE)
    assert step.log.count("FAIL: 1 confirmed finding") == 1
    assert re.search(r"^::error file=src/shop\.py,line=1,title=H2 medium", step.log, re.MULTILINE)
    assert "<b>H2</b> medium, confirmed" in step.summary
    directory = Path(step.outputs["directory"])
    results = json.loads(Path(step.outputs["sarif"]).read_text("utf-8"))["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == ["H2"]
    assert {path.name for path in directory.iterdir()} == {
        "annotations.txt", "garrison.sarif", "junit.xml", "report.html", "report.json", "report.md",
        "report.txt",
    }  # fmt: skip
    assert all(path.stat().st_size for path in directory.iterdir())
    last = use.run("Pass or fail")
    assert (last.status, last.log) == (1, "")


def test_the_job_is_green_once_the_hole_is_mended(workspace: Path) -> None:
    """Nothing is annotated then, and the last step passes."""
    frame = """(b"content-security-policy", b"frame-ancestors 'self'")]"""
    mended = APP.replace('b"nosniff")]', f'b"nosniff"), {frame}')
    assert mended != APP
    (workspace / "shop.py").write_text(mended, encoding="utf-8")
    use = job(workspace, {"target": "shop:app", "arguments": "--in-process\n--select=H2"})
    step = use.run("Audit")

    assert (step.outputs["status"], "::error file" in step.log) == ("0", False), step.log
    assert use.run("Pass or fail").status == 0


def test_what_is_accepted_or_below_the_level_passes(workspace: Path) -> None:
    """The baseline and the level of the inputs are those of the audit."""
    entry = '[[accepted]]\ncheck = "H2"\nreason = "r"\nowner = "o"\nexpires = 2999-01-01\n'
    (workspace / "known.toml").write_text(entry, encoding="utf-8")
    inputs = {"target": "shop:app", "arguments": "--in-process\n--select=H2"}

    for more in ({"baseline": "known.toml"}, {"fail-on": "high"}):
        use = job(workspace, {**inputs, **more})
        assert use.run("Audit").outputs["status"] == "0"
        assert use.run("Pass or fail").status == 0


def test_what_pyproject_says_is_audited(workspace: Path) -> None:
    """Without inputs the action does what the command does on somebody's own machine."""
    said = '[tool.garrison]\ntarget = "shop:app"\nin-process = true\nselect = ["H2"]\nfail-on = "high"\n'
    (workspace / "pyproject.toml").write_text(said, encoding="utf-8")
    step = job(workspace, {}).run("Audit")

    assert step.outputs["status"] == "0", step.log
    assert "FAIL  H2" in step.log


def test_a_command_is_started_on_a_port(workspace: Path) -> None:
    """An app in any language is started by words with {port} in one of them."""
    words = f"{sys.executable} -m uvicorn shop:app --port {{port}}"
    step = job(workspace, {"command": words, "arguments": "--select=H2", "reports": ""}).run("Audit")

    assert step.outputs["status"] == "1"
    assert "shop:app --port" in Path(step.outputs["directory"], "report.txt").read_text("utf-8")
    assert len(list(Path(step.outputs["directory"]).iterdir())) == 4


def test_a_server_is_chosen(workspace: Path) -> None:
    """Under `garrison run` the page can be framed by its own site only."""
    inputs = {"target": "shop:app", "server": "garrison", "arguments": "--select=H2"}

    assert job(workspace, inputs).run("Audit").outputs["status"] == "0"


@pytest.mark.parametrize(
    ("inputs", "status", "said", "told"),
    [
        ({"target": "shop"}, "2", "'shop' is no target", "It was not given what it needs"),
        ({"target": "nowhere:app"}, "3", 'Could not import module "nowhere"', "The app did not start"),
    ],
)
def test_what_cannot_be_audited_fails_with_its_status(
    workspace: Path, inputs: dict[str, str], status: str, said: str, told: str
) -> None:
    """The log says what to do, an annotation where to look, and there is nothing to upload."""
    use = job(workspace, inputs)
    step = use.run("Audit")

    assert (step.status, step.outputs["status"]) == (0, status)
    assert said in step.log
    assert "sarif" not in step.outputs
    last = use.run("Pass or fail")
    assert last.status == int(status)
    assert last.log.startswith(f"::error title=garrison check::{told}")


def test_inputs_are_words_and_no_script(workspace: Path) -> None:
    """Neither quotes nor substitutions do anything, and what begins with a dash is no option."""
    for odd in ("$(touch made)", '"; touch made; "', "--list"):
        step = job(workspace, {"target": odd}).run("Audit")
        assert step.outputs["status"] == "2", odd
        assert not (workspace / "made").exists()


def test_what_an_app_answers_or_logs_is_no_command_to_the_runner(workspace: Path) -> None:
    """All that it may have written stands between marks, within which a runner takes no commands."""
    (workspace / "loud.py").write_text("print('::error::made up')\n", encoding="utf-8")
    log = job(workspace, {"target": "loud:app"}).run("Audit").log
    (mark,) = re.findall(r"^::stop-commands::(\w{32})$", log, re.MULTILINE)
    before, _, rest = log.partition(f"::stop-commands::{mark}\n")
    between, _, after = rest.partition(f"::{mark}::\n")

    assert between
    assert (before, after) == ("", "")


def test_nobody_can_guess_the_mark(workspace: Path) -> None:
    """It is another one each time."""
    logs = [job(workspace, {"target": "shop"}).run("Audit").log for _ in range(2)]

    assert len({log.partition("\n")[0] for log in logs}) == 2


def test_the_action_is_found_from_the_root() -> None:
    """The step that installs goes up to the root of the repository from where the action is."""
    assert (ACTION.parent / "../../.." / "pyproject.toml").resolve() == ROOT / "pyproject.toml"


def test_the_guide_has_every_input_and_output() -> None:
    """A row for each, with its default, and no other."""
    document = action()
    rows = re.findall(r"^\| `([\w-]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert rows == [*document["inputs"], *document["outputs"]]


def test_the_workflows_of_the_guide_give_what_the_action_takes() -> None:
    """Each is YAML, and what stands in `with` are inputs of the action."""
    import yaml  # noqa: PLC0415 - for this only

    used = []
    for block in blocks(PAGE, "yaml"):
        document = yaml.safe_load(block.text)
        steps = document if isinstance(document, list) else next(iter(document["jobs"].values()))["steps"]
        used += [step for step in steps if str(step.get("uses", "")).startswith("OWNER/")]

    assert len(used) >= 2
    for step in used:
        assert step["uses"].startswith("OWNER/garrison/.github/actions/check@")
        assert set(step["with"]) <= set(action()["inputs"])
