"""The reference of `[tool.garrison]` as Markdown, written from the options of `garrison check`."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Final

import click

from garrison_harness.configuration.fields import REPORTS_KEY, fields, only_flags
from garrison_harness.configuration.readers import LOGIN, readers_of
from garrison_harness.login.settings import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.configuration.fields import Field

_DEFAULT: Final = re.compile(r"\s*\[default: ([^\]]*)\]")
_FLAG: Final = re.compile(r"(?<![\w-])(--[a-z][a-z-]*[a-z])")
_OPENING: Final = """\
# Configuration of `garrison check`

What flags say once, `[tool.garrison]` says for every run: in the nearest `pyproject.toml` that has it,
from the working directory up to the root of the repository, or in the TOML file that `--config` names
(`off` for none). `garrison check` reads all of it. `garrison load`, `garrison drill`, `garrison prove` and
the [pytest plugin](../how-to/pytest.md) read what is true of the app whatever is done with it: the tables
say who reads a key, and whoever does not leaves it alone. `garrison load` has a
[table of its own](#loads) besides.

```toml
[tool.garrison]
target = "shop.main:app"
path = "/orders"
ignore = ["H7"]
fail-on = "high"
severity = { L = "low" }
headers = { X-Api-Key = "${API_KEY}" }
reports = { text = "-", sarif = "garrison.sarif" }
```

- A flag wins over the file. `--header`, `--env` and `--severity` replace what has the same name and
  leave the rest; `--ignore` adds to what the file ignores; `--select` replaces both `select` and
  `ignore`; `--format` and `--output` replace `reports`.
- A target on the command line leaves behind how the file starts its own: `factory`, `harden`, `server`
  and `in-process`. A URL there also leaves behind `env` and `env-file`.
- The pytest plugin drives an import string in its own process, or under the server that its own flag names,
  whatever `harden`, `server` and `in-process` say.
- `quota` is what one client may ask in all or, as in `POST /login: 5/minute`, of one route. That of a route
  is held by `check` and `pytest` only. `load` holds the other one while it watches the target, which it does
  not with `--no-watch`, `--compare bare` or `--master`. `[tool.garrison.load] quota` replaces it for loads,
  and an empty list leaves it to the audit.
- What is started here is asked in plain HTTP on a port of its own, and no balancer has to learn that it
  stops. So `GARRISON_SERVER_UNIX_SOCKET`, `GARRISON_SERVER_TLS_…` and `GARRISON_SERVER_DRAIN_DELAY` in an
  `env-file` do not count.
- Files are named relative to the file that names them. An import string is looked for in the working
  directory, as ever.
- `${NAME}` in `headers`, `env` and `login` stands for a variable of the environment, so that no secret
  has to be in the file; `$$` stands for `$`. Reports show `[hidden]` in place of what headers and logins
  hold.
- An id says more than the letter of a family: `select = ["H1"]` with `ignore = ["H"]` leaves H1.
- A key or a value that is wrong ends the command with exit status 2, and one line that says what was
  expected.

This page is written by `python -m garrison_harness.configuration`."""
_LOGIN: Final = """\
## The login

`[tool.garrison.login]` describes one request that logs in. It is sent once the target is up, and again
to every other start of it. The cookies that it yields, or its bearer token, go with all requests but
those that ask as a stranger, in checks that compare both. `check`, `load` and `pytest` read it. There are
[examples](../how-to/audit-behind-a-login.md)."""
_LOAD: Final = """\
## Loads

`garrison load` reads the keys above that say so, and `[tool.garrison.load]`, where each of its other flags
is a key, by its name without the dashes. A key that both tables have, such as `path`, `openapi` or
`one-address`, is its own there: the one above is that of the audit. What can be repeated is a list, and
`reports` stands for `--format` and `--output`, as above. A flag on the command line wins, over a whole list
where it is one.

```toml
[tool.garrison.load]
users = 20
duration = "30s"
threshold = ["p95<200ms", "errors<0.1% abort after 10s"]
reports = { text = "-", json = "load.json" }
```"""
_FLAGS: Final = "## Only on the command line"


def document() -> str:
    """The whole page; it depends on nothing but the code."""
    blocks = [_OPENING]
    for subject, group in groupby(fields(), key=lambda field: field.subject):
        blocks += [f"## {subject}", "\n".join(_table(group))]
    blocks += [_LOGIN, "\n".join(_login()), _LOAD]
    rows = [f"- `--{name}`: {reason}" for name, reason in only_flags()]
    blocks += [_FLAGS, "\n".join(rows)]
    return "\n\n".join(blocks) + "\n"


def _table(group: Iterator[Field]) -> Iterator[str]:
    yield "| key | flag | value | meaning | example | read by |"
    yield "|---|---|---|---|---|---|"
    for field in group:
        readers = ", ".join(readers_of(field.name))
        cells = (_cell(field.form.expected), _about(field), f"`{field.form.example}`", readers)
        yield f"| `{field.key}` | `{field.flag}` | {' | '.join(cells)} |"


def _login() -> Iterator[str]:
    yield "| key | value | meaning |"
    yield "|---|---|---|"
    for key, (expected, about) in KEYS.items():
        yield f"| `{LOGIN}.{key}` | {_cell(expected)} | {_sentence(about)} |"


def _about(field: Field) -> str:
    parameter = field.parameter
    if field.key == REPORTS_KEY:
        told = "What is written, and where to; - is standard output.  [default: text to standard output]"
    else:
        told = (parameter.help or "") if isinstance(parameter, click.Option) else "What to audit."
    told = _sentence(told)
    if isinstance(parameter, click.Option) and parameter.show_default:
        default = parameter.default
        told += f" Default: {default:g}." if isinstance(default, float) else f" Default: {default}."
    return told


def _sentence(told: str) -> str:
    """The help of a flag without what is about flags only."""
    told = _DEFAULT.sub(lambda match: f" Default: {match[1]}.", told)
    told = _cell(" ".join(told.replace("Repeatable.", "").split()))
    return _FLAG.sub(r"`\1`", told)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("<", "\\<")
