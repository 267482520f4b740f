"""How a log record and a structlog event become one line, whatever is in them."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import structlog

from garrison.context import enter
from garrison.current import enter_request, leave_request
from garrison.events import event_log
from garrison.redaction import Redaction, Redactor
from garrison.server.app_lines import AppLines
from garrison.server.exported import export_masked
from garrison.server.record_handler import REFUSALS, RecordHandler
from garrison.server.structlog_lines import configure_structlog
from tests.toolkit.driver import http_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.context import RequestContext

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


class Log:
    """A logger whose records come out as lines here.

    Attributes:
        lines: where the handler writes.
        logger: whose records they are.
    """

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream
        self.lines = AppLines(event_log("json", stream), Redactor(Redaction()))
        self.logger = logging.getLogger("test_app_lines.shop")

    @property
    def found(self) -> list[dict[str, Any]]:
        """The lines so far, without their times."""
        lines = [orjson.loads(line) for line in self._stream.getvalue().splitlines()]
        return [{name: value for name, value in line.items() if name != "timestamp"} for line in lines]

    @property
    def last(self) -> dict[str, Any]:
        """The last line."""
        return self.found[-1]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    """A log of its own, which nobody else's handlers see."""
    made = Log(io.StringIO())
    monkeypatch.setattr(made.logger, "handlers", [RecordHandler(made.lines)])
    monkeypatch.setattr(made.logger, "propagate", False)
    made.logger.setLevel(logging.DEBUG)
    return made


@pytest.fixture
def context() -> Iterator[RequestContext]:
    """A request that is under way."""
    headers = [(b"cookie", b"basket=an-opaque-value"), (b"x-api-key", b"an-opaque-key")]
    scope, context = enter(http_scope(headers=headers, query=b"code=an-opaque-code"))
    context.request_id = "id-1"
    entered = enter_request(context, scope)
    yield context
    leave_request(context, entered)


class Shifty(dict[str, object]):
    """A mapping whose items cannot be had."""

    def items(self) -> Any:
        raise RuntimeError("no")


class Sullen:
    """An object that says nothing of itself."""

    def __repr__(self) -> str:
        raise RuntimeError("no")

    def __str__(self) -> str:
        raise RuntimeError("no")


def test_whom_a_record_does_not_reach_cannot_show_it(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler of the root logger hides no line of a logger that does not propagate to it."""
    monkeypatch.setattr(logging.root, "handlers", [logging.StreamHandler(sys.stderr)])
    log.logger.warning("sold")
    assert log.last["event"] == "sold"


def test_a_record_is_a_line(log: Log) -> None:
    """Level, message, logger and extra fields are there, and nothing of how records work."""
    log.logger.warning("sold %d", 3, extra={"price": Decimal("2.5")})
    assert log.found == [
        {"level": "warning", "event": "sold 3", "logger": "test_app_lines.shop", "price": "Decimal('2.5')"}
    ]


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("password", "x", "[redacted]"),
        ("api_key", 7, "[redacted]"),
        ("password", None, None),
        ("Authorization", "Bearer abc", "[redacted]"),
        ("user", {"name": "ann", "password": "x"}, {"name": "ann", "password": "[redacted]"}),
        ("headers", {"Cookie": "a=b", "accept": "*/*"}, {"Cookie": "[redacted]", "accept": "*/*"}),
        ("pair", ("a", JWT), ["a", "[redacted]"]),
        ("url", "https://ann:pw@shop.example/", "https://[redacted]@shop.example/"),
        ("deep", [[[[[JWT]]]]], [[[["['[redacted]']"]]]]),
        ("object", Sullen(), "<Sullen>"),
        ("mapping", Shifty(), "<Shifty>"),
        ("number", 2**70, str(2**70)),
        ("flag", True, True),
        ("surrogate", "\ud800", "\\ud800"),
    ],
)
def test_a_field_is_masked_by_its_name_and_by_its_shape(
    log: Log, field: str, value: object, shown: object
) -> None:
    """What an app says beside its message is looked through as deep as fields go."""
    log.logger.info("x", extra={field: value})
    assert log.last[field] == shown


def test_messages_and_their_arguments_are_masked(log: Log) -> None:
    """A token is masked wherever it comes into the text from; a text that is too long loses its middle."""
    log.logger.info("token=%s", JWT)
    assert JWT not in log.last["event"]
    log.logger.info("%s", "x" * 100_000)
    assert len(log.last["event"]) < 5000


@pytest.mark.parametrize(("message", "args"), [("%d", ("x",)), ("%s %s", ("x",)), ("%s", (Sullen(),))])
def test_a_record_that_cannot_be_formatted_is_a_line(
    log: Log, capsys: pytest.CaptureFixture[str], message: str, args: tuple[object, ...]
) -> None:
    """The mistake of whoever logs is shown as it is, without the standard library's own traceback."""
    # Not through a logger, because pytest's own handlers would raise.
    record = logging.LogRecord("shop", logging.INFO, __file__, 1, message, args, None)
    RecordHandler(log.lines).handle(record)
    assert (log.last["event"], len(log.last["log.arguments"])) == (message, 1)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("text", ["{not json}", "[1]", "{}x"])
def test_what_only_looks_like_json_is_text(log: Log, text: str) -> None:
    """A message is taken for an event only where it is a whole JSON object."""
    log.logger.info(text)
    assert log.last["event"] == text


def test_a_rendered_event_is_an_event(log: Log) -> None:
    """A message that is a JSON object gives its fields, under other names where they would contradict."""
    log.logger.info('{"event": "sold", "level": "error", "password": "x", "price": 3}')
    assert log.last == {
        "level": "info", "event": "sold", "logger": "test_app_lines.shop",
        "extra.level": "error", "password": "[redacted]", "price": 3,
    }  # fmt: skip


def test_a_traceback_is_shown_once_for_each_request(log: Log, context: RequestContext) -> None:
    """The second line about an exception has its type and message; what the errors layer told has no more."""
    again = RuntimeError(f"token={JWT}")
    log.logger.error("first", exc_info=again)
    log.logger.error("second", exc_info=again)
    first, second = log.found
    assert "RuntimeError" in first["exception.stacktrace"]
    assert JWT not in str(first)
    assert "exception.stacktrace" not in second
    assert second["error.type"] == "RuntimeError"
    context.exception, context.logged = again, None
    log.logger.error("third", exc_info=(RuntimeError, again, None))
    assert "exception.stacktrace" not in log.last
    log.logger.error("other", exc_info=ValueError("x"))
    assert log.last["exception.stacktrace"] == "ValueError: x\n"


def test_lines_beside_requests_always_have_their_traceback(log: Log) -> None:
    """Without a request there is nobody else who shows it."""
    error = ValueError("x")
    for _ in range(2):
        log.logger.error("failed", exc_info=error)
    assert [line["exception.stacktrace"] for line in log.found] == ["ValueError: x\n"] * 2
    log.logger.error("nothing", exc_info=True)  # noqa: LOG014 - what people do by mistake
    assert "error.type" not in log.last


@pytest.mark.usefixtures("context")
def test_what_the_request_brought_is_masked_without_its_name(log: Log) -> None:
    """Credentials of the request have no shape that tells them, and are hidden in what is logged for it."""
    log.logger.info("basket %s", "an-opaque-value", extra={"used": ["an-opaque-key"]})
    log.logger.error("failed", exc_info=LookupError("no an-opaque-code"))
    assert "an-opaque" not in str(log.found)
    assert log.found[0]["event"] == "basket [redacted]"


def test_a_stack_is_a_field(log: Log) -> None:
    """`stack_info` of both libraries is one field."""
    log.logger.info("here", stack_info=True)
    assert "test_a_stack_is_a_field" in log.last["code.stacktrace"]


def test_handlers_that_do_not_show_lines_do_not_hide_them(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler that collects records, or writes to a file, takes nothing from those who watch."""
    child = log.logger.getChild("till")
    for handler in (logging.NullHandler(), logging.StreamHandler(io.StringIO())):
        monkeypatch.setattr(child, "handlers", [handler])
        child.info("x")
    assert len(log.found) == 2
    shown = logging.StreamHandler(sys.stderr)
    shown.setLevel(logging.ERROR)
    monkeypatch.setattr(child, "handlers", [shown])
    child.info("too low for it")
    assert len(log.found) == 3
    child.error("high enough")
    assert len(log.found) == 3
    shown.addFilter(lambda record: record.getMessage() != "refused")
    child.error("refused")
    assert len(log.found) == 4
    child.error("let through")
    assert len(log.found) == 4


@pytest.mark.parametrize("refused", REFUSALS)
def test_a_refused_body_is_no_failure_of_whoever_reads_it(log: Log, refused: type[Exception]) -> None:
    """Flask and BlackSheep log what ends their reading; no stranger can fill the log with tracebacks so."""
    log.logger.error("Exception on /orders", exc_info=refused())
    assert log.found == []


@pytest.fixture
def _fresh_structlog() -> Iterator[None]:
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("_fresh_structlog")
class TestStructlog:
    """What comes through structlog's default logger."""

    def test_an_event_is_a_line(self, log: Log, context: RequestContext) -> None:
        """Bound values, context variables, exceptions and stacks are in it."""
        configure_structlog(log.lines)
        logger = structlog.get_logger("shop")
        with structlog.contextvars.bound_contextvars(tenant="acme"):
            logger.bind(article="tea").warning("sold %d", 3, secret="x")
        assert log.last == {
            "level": "warning", "event": "sold 3", "logger": "shop", "request_id": "id-1",
            "article": "tea", "tenant": "acme", "secret": "[redacted]",
        }  # fmt: skip
        try:
            int("x")
        except ValueError:
            structlog.get_logger().exception("failed", stack_info=True)
        assert (log.last["level"], log.last["error.type"]) == ("error", "ValueError")
        assert "logger" not in log.last
        assert "test_an_event_is_a_line" in log.last["code.stacktrace"]
        logger.debug("not shown")
        assert log.last["event"] == "failed"

    def test_an_app_that_has_configured_structlog_keeps_its_way(self, log: Log) -> None:
        """Before us or after, the app's own configuration stays; loggers made before follow it."""
        configure_structlog(log.lines)
        logger = structlog.get_logger()
        logger.info("ours")
        assert len(log.found) == 1
        stream = io.StringIO()
        processors: list[Any] = [structlog.processors.JSONRenderer()]
        structlog.configure(processors=processors, logger_factory=structlog.PrintLoggerFactory(stream))
        logger.info("theirs")
        configure_structlog(log.lines)
        structlog.get_logger().info("theirs, too")
        assert stream.getvalue() == '{"event": "theirs"}\n{"event": "theirs, too"}\n'
        assert len(log.found) == 1


CONFIGURED = """
import logging, sys
from garrison.redaction import Redaction
from garrison.server.logs import configure_logging

class Exporter(logging.Handler):
    found = []
    def emit(self, record):
        self.found.append(record.getMessage())

exporter = Exporter()
logging.getLogger().handlers[:] = [logging.StreamHandler(sys.stderr), exporter]
configure_logging("json", Redaction())
configure_logging("json", Redaction())
logging.info("x", extra={"otelTraceID": "0"})
assert exporter.found == ["x"]
"""


def test_handlers_that_export_records_stay() -> None:
    """What was set up before, as `opentelemetry-instrument` does it, is kept, but for what shows lines."""
    found = subprocess.run([sys.executable, "-c", CONFIGURED], capture_output=True, text=True, check=True)
    (line,) = found.stderr.splitlines()
    assert set(orjson.loads(line)) == {"timestamp", "level", "event", "logger"}


QUIET = """
import logging, structlog
from garrison.redaction import Redaction
from garrison.server.logs import configure_logging, keep_speaking

configure_logging("json", Redaction(), "warning")
keep_speaking()
logging.getLogger("shop").info("low")
structlog.get_logger().info("low")
structlog.get_logger().warning("high")
logging.getLogger("shop").warning("high")
logging.getLogger("uvicorn.error").error("ASGI callable returned without completing response.")
"""


def test_what_is_below_the_level_or_no_news_is_left_out() -> None:
    """A level is one for both libraries, and what the access log says better is not said again."""
    found = subprocess.run([sys.executable, "-c", QUIET], capture_output=True, text=True, check=True)
    assert [orjson.loads(line)["event"] for line in found.stderr.splitlines()] == ["high", "high"]


def test_headers_as_libraries_log_them(log: Log) -> None:
    """Pairs of names and values lose the values of credentials, with names in bytes too."""
    sent = [(b"x-api-key", b"hunter2"), ["Cookie", "hunter2"], ("accept", "*/*")]
    log.logger.info("x", extra={"sent": sent, "raw": {b"authorization": b"hunter2"}})
    assert log.last["sent"] == [["b'x-api-key'", "[redacted]"], ["Cookie", "[redacted]"], ["accept", "*/*"]]
    assert log.last["raw"] == {"authorization": "[redacted]"}


def test_an_exporter_sees_masked_copies(log: Log) -> None:
    """What others send elsewhere is masked as well, and the record stays as it is for everybody else."""
    seen: list[logging.LogRecord] = []

    class Exporter(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record)

    exporter = Exporter()
    log.logger.addHandler(exporter)
    export_masked(exporter, log.lines)
    export_masked(exporter, log.lines)
    try:
        log.logger.info("password=%s", "hunter2", extra={"token": "hunter2", "price": 3})
        log.logger.error("no", exc_info=ValueError("password=hunter2"))
        log.logger.info("x", extra={"odd": Sullen()})
        exporter.handle(logging.makeLogRecord({"msg": "%d of password=hunter2", "args": ("no",)}))
    finally:
        log.logger.removeHandler(exporter)
    first, second, third, fourth = seen
    assert first.getMessage() == "password=[redacted]"
    assert (vars(first)["token"], vars(first)["price"]) == ("[redacted]", 3)
    assert second.exc_info is None
    assert vars(second)["exception.message"] == "password=[redacted]"
    assert "ValueError: password=[redacted]" in vars(second)["exception.stacktrace"]
    assert "hunter2" not in str([vars(record) for record in seen])
    assert vars(third)["odd"] == "<Sullen>"
    assert fourth.getMessage() == "%d of password=[redacted]"
    assert log.found[0]["event"] == "password=[redacted]"
