"""When a claim is settled: committed just before the last bytes of a 2xx leave, given back on every other way out."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import itertools
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.util import FileWrapper

import anyio
import pytest
from anyio import to_thread
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from hooklatch import Delivery
from hooklatch.asgi import WebhookMiddleware as ASGIWebhookMiddleware
from hooklatch.providers import GITHUB
from hooklatch.stores import MemoryStore
from hooklatch.testing import Answered, asgi_scope, call_asgi, wsgi_environ
from hooklatch.types import GRANTED, Claim, Standing
from hooklatch.wsgi import WebhookMiddleware as WSGIWebhookMiddleware
from worlds import ApplicationError, Endpoint

if TYPE_CHECKING:
    from starlette.requests import Request as StarletteRequest
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MakeEndpoint = Callable[..., Endpoint]

SECRET = "the-secret-of-this-route"
CHAIN = GITHUB.chain(SECRET)
HOOK = "/hook"
LARGE = bytes(range(256)) * 1200


def push(body: bytes = b"{}", *, secret: str = SECRET, method: str = "POST") -> Delivery:
    return GITHUB.sign(body, secret=secret, url=HOOK, method=method)


class Journal:
    """A store that writes down what is asked of it, in one list with what the server sends."""

    def __init__(self, *, blocking: bool = False) -> None:
        self.blocking = blocking
        self.lines: list[str] = []
        self._store = MemoryStore()

    def claim(self, claim: Claim, /) -> Standing:
        self.lines.append("claim")
        return self._store.claim(claim)

    def renew(self, claim: Claim, /) -> bool:
        self.lines.append("renew")
        return self._store.renew(claim)

    def commit(self, claim: Claim, /) -> bool:
        self.lines.append("commit")
        return self._store.commit(claim)

    def release(self, claim: Claim, /) -> None:
        self.lines.append("release")
        self._store.release(claim)


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture(params=["asyncio", "trio"])
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def spooled(monkeypatch: pytest.MonkeyPatch) -> list[IO[bytes]]:
    """Return the temporary files that the test made."""
    made: list[IO[bytes]] = []
    real = tempfile.TemporaryFile

    def recording(**settings: Any) -> IO[bytes]:
        made.append(real(**settings))
        return made[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", recording)
    return made


# WSGI


class Parts:
    """What a WSGI application returns when it is neither a list nor a generator; counts how often it is closed."""

    def __init__(self, chunks: Iterable[bytes], *, fails: bool = False) -> None:
        self._chunks = iter(chunks)
        self._fails = fails
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        self.closed += 1
        if self._fails:
            raise ApplicationError


class Server:
    """A WSGI server as far as one request needs it; what leaves it is in the journal as ``sent ...``."""

    def __init__(self, app: WSGIApplication, journal: Journal, **settings: Any) -> None:
        self.app = WSGIWebhookMiddleware(app, **{"routes": {HOOK: CHAIN}, "store": journal, **settings})
        self.journal = journal
        self.starts: list[tuple[Any, ...]] = []

    def write(self, data: bytes) -> None:
        if data:
            self.journal.lines.append(f"sent {data.decode()}")

    def start_response(self, *arguments: Any) -> Callable[[bytes], object]:
        self.starts.append(arguments)
        return self.write

    def call(self, delivery: Delivery | None = None, **environ: Any) -> Any:
        full = wsgi_environ(delivery or push())
        full.update({key.replace("__", "."): value for key, value in environ.items()})
        return self.app(full, self.start_response)

    def serve(self, delivery: Delivery | None = None, **environ: Any) -> list[str]:
        """Call the application, send its answer, close it, and return the journal."""
        result = self.call(delivery, **environ)
        try:
            for chunk in result:
                self.write(chunk)
        finally:
            if hasattr(result, "close"):
                result.close()
        return self.journal.lines


def answering(
    result: Callable[[], Iterable[bytes]] | Iterable[bytes], status: str = "200 OK", *headers: tuple[str, str]
) -> WSGIApplication:
    """Return an application that starts *status* and returns *result*, called first if it is a function."""

    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response(status, [("Content-Type", "text/plain"), *headers])
        return result() if callable(result) else result

    return app


def failing(*chunks: bytes) -> Iterator[bytes]:
    yield from chunks
    raise ApplicationError


@pytest.mark.parametrize("answer", [[b"one", b"two"], (b"one",), [], [b""]], ids=repr)
def test_a_list_or_tuple_is_returned_itself_and_settled_at_once(journal: Journal, answer: Iterable[bytes]) -> None:
    assert Server(answering(answer), journal).call() is answer
    assert journal.lines == ["claim", "commit"]


@pytest.mark.parametrize("status", ["199 Strange", "302 Found", "404 Not Found", "500 Sorry"])
def test_a_list_that_is_no_2xx_is_returned_itself_and_released(journal: Journal, status: str) -> None:
    answer = [b"no"]
    assert Server(answering(answer, status), journal).call() is answer
    assert journal.lines == ["claim", "release"]


@pytest.mark.parametrize(("status", "settled"), [("200 OK", "commit"), ("500 Sorry", "release")])
def test_a_file_wrapper_is_returned_itself_and_settled(journal: Journal, status: str, settled: str) -> None:
    wrapped = FileWrapper(io.BytesIO(b"from a file"))
    result = Server(answering(wrapped, status), journal).call(wsgi__file_wrapper=FileWrapper)
    assert result is wrapped
    assert journal.lines == ["claim", settled]


def test_a_file_wrapper_that_the_server_does_not_know_is_read_like_anything_else(journal: Journal) -> None:
    wrapped = FileWrapper(io.BytesIO(b"from a file"))
    assert Server(answering(wrapped), journal).serve() == ["claim", "commit", "sent from a file"]


@pytest.mark.parametrize("status", ["200 OK", "204 No Content"])
@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([], ["claim", "commit"]),
        ([b"one"], ["claim", "commit", "sent one"]),
        ([b"one", b"two"], ["claim", "sent one", "commit", "sent two"]),
        ([b"", b"one", b"", b"two"], ["claim", "sent one", "commit", "sent two"]),
        ([b"one", b"two", b"three"], ["claim", "sent one", "sent two", "commit", "sent three"]),
    ],
    ids=lambda value: f"{len(value)} chunks",
)
def test_a_generator_commits_before_its_last_chunk_leaves(
    journal: Journal, status: str, chunks: list[bytes], lines: list[str]
) -> None:
    assert Server(answering(lambda: iter(chunks), status), journal).serve() == lines


def test_a_generator_that_ends_in_an_empty_chunk_commits_before_that(journal: Journal) -> None:
    lines = Server(answering(lambda: iter([b"one", b""])), journal).serve()
    assert sorted(lines) == ["claim", "commit", "sent one"]


def test_a_generator_that_is_no_2xx_releases(journal: Journal) -> None:
    assert Server(answering(lambda: iter([b"one"]), "500 Sorry"), journal).serve() == ["claim", "release", "sent one"]


def test_with_a_length_the_chunk_that_fills_it_commits_and_nothing_is_held_back(journal: Journal) -> None:
    server = Server(answering(lambda: iter([b"one", b"two"]), "200 OK", ("Content-Length", "6")), journal)
    result = iter(server.call())
    assert next(result) == b"one"
    assert journal.lines == ["claim"]
    assert next(result) == b"two"
    assert journal.lines == ["claim", "commit"]


def test_without_a_length_no_chunk_waits_for_a_second_one_of_the_application(journal: Journal) -> None:
    produced = itertools.count(1)
    made: list[int] = []

    def chunks() -> Iterator[bytes]:
        for _ in range(3):
            made.append(next(produced))
            yield b"x"

    result = iter(Server(answering(chunks), journal).call())
    for taken in range(1, 4):
        next(result)
        assert len(made) <= taken


def test_what_is_iterated_has_no_length_of_its_own(journal: Journal) -> None:
    result = Server(answering(lambda: iter([b"one"])), journal).call()
    assert not hasattr(result, "__len__")
    result.close()


LENGTHS = {"none": None, "right": 9, "too small": 1, "too large": 100}
COMMITTED = {("too small", 1), ("too small", 2), ("too small", 3), ("right", 3)}


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("count", range(4), ids="after {}".format)
def test_a_generator_that_fails_gives_back_unless_all_that_was_promised_has_left(
    journal: Journal, length: str, count: int
) -> None:
    size = LENGTHS[length]
    headers = [] if size is None else [("Content-Length", str(size))]
    app = answering(lambda: failing(*[b"one", b"two", b"six"][:count]), "200 OK", *headers)
    with pytest.raises(ApplicationError):
        Server(app, journal).serve()
    settled = [line for line in journal.lines if not line.startswith("sent")]
    assert settled == ["claim", "commit" if (length, count) in COMMITTED else "release"]


@pytest.mark.parametrize("count", range(3), ids="after {}".format)
def test_a_generator_that_fails_gives_back_also_if_the_server_forgets_to_close_it(journal: Journal, count: int) -> None:
    result = Server(answering(lambda: failing(*[b"one", b"two"][:count])), journal).call()
    with pytest.raises(ApplicationError):
        list(result)
    assert journal.lines == ["claim", "release"]


@pytest.mark.parametrize("chunks", [[], [b"abc"], [b"abc", b"def"]], ids=lambda chunks: f"{len(chunks)} chunks")
def test_a_body_short_of_its_own_length_gives_back(journal: Journal, chunks: list[bytes]) -> None:
    lines = Server(answering(lambda: iter(chunks), "200 OK", ("Content-Length", "10")), journal).serve()
    assert [line for line in lines if not line.startswith("sent")] == ["claim", "release"]


def test_an_answer_to_head_is_whole_without_the_body_its_length_announces(journal: Journal) -> None:
    routes = {HOOK: GITHUB.chain(SECRET, methods=["HEAD"])}
    server = Server(answering(lambda: iter([]), "200 OK", ("Content-Length", "10")), journal, routes=routes)
    assert server.serve(push(b"", method="HEAD")) == ["claim", "commit"]


def raising() -> list[bytes]:
    raise ApplicationError


def writing(*written: bytes, then: Callable[[], Iterable[bytes]] = list, status: str = "200 OK") -> WSGIApplication:
    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response(status, [])
        for data in written:
            write(data)
        return then()

    return app


@pytest.mark.parametrize(
    ("app", "lines"),
    [
        (writing(b"one"), ["claim", "commit", "sent one"]),
        (writing(b"one", b"two"), ["claim", "sent one", "commit", "sent two"]),
        (writing(b"one", then=lambda: [b"two"]), ["claim", "sent one", "commit", "sent two"]),
        (writing(b"one", then=lambda: iter([b"two"])), ["claim", "sent one", "commit", "sent two"]),
        (writing(b"one", status="500 Sorry"), ["claim", "release", "sent one"]),
    ],
    ids=["one write", "two writes", "a list after it", "a generator after it", "not 2xx"],
)
def test_what_is_written_settles_before_the_last_of_it_leaves(
    journal: Journal, app: WSGIApplication, lines: list[str]
) -> None:
    assert Server(app, journal).serve() == lines


@pytest.mark.parametrize(
    "app",
    [writing(b"one", then=raising), writing(b"one", b"two", then=raising), writing(b"one", then=lambda: failing(b"x"))],
    ids=["one write", "two writes", "a generator after it"],
)
def test_writing_and_then_failing_gives_back(journal: Journal, app: WSGIApplication) -> None:
    with pytest.raises(ApplicationError):
        Server(app, journal).serve()
    assert [line for line in journal.lines if not line.startswith("sent")] == ["claim", "release"]


@pytest.mark.parametrize(
    ("first", "second", "settled"),
    [("200 OK", "500 Sorry", "release"), ("500 Sorry", "200 OK", "commit")],
    ids=["success, then failure", "failure, then success"],
)
@pytest.mark.parametrize("lazy", [False, True], ids=["list", "generator"])
def test_the_second_start_response_with_exc_info_counts(
    journal: Journal, first: str, second: str, settled: str, *, lazy: bool
) -> None:
    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response(first, [])
        try:
            raising()
        except ApplicationError:
            start_response(second, [], sys.exc_info())
        return iter([b"text"]) if lazy else [b"text"]

    server = Server(app, journal)
    assert settled in server.serve()
    assert [len(arguments) for arguments in server.starts] == [2, 3]
    assert server.starts[1][2][0] is ApplicationError


@pytest.mark.parametrize(
    ("status", "lines"),
    [
        ("200 OK", ["claim", "sent one", "commit", "sent two"]),
        ("500 Sorry", ["claim", "sent one", "release", "sent two"]),
    ],
)
def test_a_generator_may_start_its_response_at_the_first_chunk(journal: Journal, status: str, lines: list[str]) -> None:
    def app(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response(status, [])
        yield b"one"
        yield b"two"

    assert Server(app, journal).serve() == lines


def test_an_application_that_raises_gives_back_and_its_exception_passes(journal: Journal) -> None:
    with pytest.raises(ApplicationError):
        Server(answering(raising), journal).call()
    assert journal.lines == ["claim", "release"]


def test_an_application_that_is_stopped_by_no_exception_class_gives_back(journal: Journal) -> None:
    class Timeout(BaseException):
        """As gevent raises it into a handler."""

    def stopped() -> list[bytes]:
        raise Timeout

    with pytest.raises(Timeout):
        Server(answering(stopped), journal).call()
    assert journal.lines == ["claim", "release"]


@pytest.mark.parametrize(
    "kind",
    [lambda: iter([b"one"]), failing, lambda: Parts([b"one"])],
    ids=["iterator", "generator", "object"],
)
def test_a_server_that_closes_without_reading_gives_back(journal: Journal, kind: Callable[[], Iterable[bytes]]) -> None:
    Server(answering(kind), journal).call().close()
    assert journal.lines == ["claim", "release"]


def test_a_server_that_stops_reading_half_way_gives_back(journal: Journal) -> None:
    result = Server(answering(lambda: iter([b"one", b"two", b"three"])), journal).call()
    reading = iter(result)
    assert [next(reading), next(reading)] == [b"", b"one"]
    result.close()
    assert journal.lines == ["claim", "release"]


def test_a_claim_is_settled_once_however_often_the_answer_is_read_and_closed(journal: Journal) -> None:
    result = Server(answering(lambda: iter([b"one"])), journal).call()
    assert b"".join(result) == b"one"
    assert list(result) == []
    result.close()
    result.close()
    assert journal.lines == ["claim", "commit"]


@pytest.mark.parametrize("reads", [0, 1, 2, 99], ids=lambda reads: f"after {reads} reads")
@pytest.mark.parametrize("closes", [1, 2, 3])
def test_what_the_application_returned_is_closed_exactly_once(journal: Journal, reads: int, closes: int) -> None:
    parts = Parts([b"one", b"two"])
    result = Server(answering(parts), journal).call()
    list(itertools.islice(result, reads))
    for _ in range(closes):
        result.close()
    assert parts.closed == 1


def test_what_the_application_returned_is_closed_once_after_it_failed(journal: Journal) -> None:
    parts = Parts(failing(b"one"))
    with pytest.raises(ApplicationError):
        Server(answering(parts), journal).serve()
    assert (parts.closed, journal.lines) == (1, ["claim", "release"])


def test_a_close_that_raises_still_closes_the_body(journal: Journal, spooled: list[IO[bytes]]) -> None:
    result = Server(answering(Parts([b"one"], fails=True)), journal, spool_threshold=10).call(push(LARGE))
    assert [file.closed for file in spooled] == [False]
    with pytest.raises(ApplicationError):
        result.close()
    assert [file.closed for file in spooled] == [True]
    assert journal.lines == ["claim", "release"]


def test_a_release_that_raises_still_closes_the_body_and_the_answer(
    journal: Journal, spooled: list[IO[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = Parts([b"one"])
    result = Server(answering(parts), journal, spool_threshold=10).call(push(LARGE))

    def broken(_claim: Claim) -> None:
        raise ApplicationError

    monkeypatch.setattr(journal, "release", broken)
    with pytest.raises(ApplicationError):
        result.close()
    assert ([file.closed for file in spooled], parts.closed) == ([True], 1)


def test_a_list_is_settled_before_it_leaves_also_when_the_body_is_on_disk(
    journal: Journal, spooled: list[IO[bytes]]
) -> None:
    server = Server(answering([b"one", b"two"]), journal, spool_threshold=10)
    assert server.serve(push(LARGE)) == ["claim", "sent one", "commit", "sent two"]
    assert [file.closed for file in spooled] == [True]


def test_an_application_may_read_its_body_while_its_answer_is_read(journal: Journal, spooled: list[IO[bytes]]) -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"size "
        yield str(len(environ["wsgi.input"].read())).encode()

    lines = Server(app, journal, spool_threshold=10).serve(push(LARGE))
    assert lines == ["claim", "sent size ", "commit", f"sent {len(LARGE)}"]
    assert [file.closed for file in spooled] == [True]


# ASGI


def latched(app: ASGIApp, store: Any, **settings: Any) -> ASGIWebhookMiddleware:
    return ASGIWebhookMiddleware(app, **{"routes": {HOOK: CHAIN}, "store": store, **settings})


def whole(body: bytes = b"{}") -> list[Message]:
    return [{"type": "http.request", "body": body, "more_body": False}]


class Wire:
    """The server's end of one ASGI request; what leaves the application is in the journal."""

    def __init__(self, journal: Journal, events: Iterable[Message] | None = None, **scope: Any) -> None:
        self.journal = journal
        self.events = whole() if events is None else list(events)
        self.scope: Scope = {**asgi_scope(push()), **scope}
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        if not self.events:
            await anyio.sleep_forever()
        return self.events.pop(0)

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        more = "+" if message.get("more_body") else ""
        self.journal.lines.append(message["type"].removeprefix("http.response.") + more)

    async def exchange(self, app: ASGIApp) -> None:
        await app(self.scope, self.receive, self.send)


def run(loop: str, scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        with anyio.fail_after(30):
            await scenario()

    anyio.run(bounded, backend=loop)


def start(status: int = 200) -> Message:
    return {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]}


def body(data: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


def sending(*messages: Message, fails: bool = False) -> ASGIApp:
    """Return an application that sends *messages* and then returns, or raises."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)
        if fails:
            raise ApplicationError

    return app


TWO_PARTS = (start(), body(b"one", more=True), body(b"two", more=False))
PATHSEND = {"type": "http.response.pathsend", "path": "/etc/hostname"}
ZEROCOPY = {"type": "http.response.zerocopysend", "file": 0}


@pytest.mark.parametrize("blocking", [False, True], ids=["inline store", "threaded store"])
@pytest.mark.parametrize(
    ("messages", "lines"),
    [
        ([start(), body(b"one", more=False)], ["start", "commit", "body"]),
        ([start(201), {"type": "http.response.body"}], ["start", "commit", "body"]),
        (TWO_PARTS, ["start", "body+", "commit", "body"]),
        ([start(), body(b"one", more=True), body(b"", more=False)], ["start", "body+", "commit", "body"]),
        ([start(), PATHSEND], ["start", "commit", "pathsend"]),
        ([start(), ZEROCOPY], ["start", "commit", "zerocopysend"]),
        (
            [start(), {**ZEROCOPY, "more_body": True}, body(b"", more=False)],
            ["start", "zerocopysend+", "commit", "body"],
        ),
        ([start(302), body(b"", more=False)], ["start", "release", "body"]),
        ([start(500), body(b"", more=True), body(b"", more=False)], ["start", "body+", "release", "body"]),
        ([start(404), PATHSEND], ["start", "release", "pathsend"]),
    ],
    ids=["one", "bare", "two", "empty end", "pathsend", "zerocopysend", "zerocopysend, more", "302", "500", "404 path"],
)
def test_a_claim_is_settled_before_the_last_message(
    loop: str, messages: list[Message], lines: list[str], *, blocking: bool
) -> None:
    journal = Journal(blocking=blocking)
    wire = Wire(journal)
    run(loop, lambda: wire.exchange(latched(sending(*messages), journal)))
    assert journal.lines == ["claim", *lines]


@pytest.mark.parametrize("count", range(3), ids="after {} messages".format)
@pytest.mark.parametrize("fails", [False, True], ids=["returns", "raises"])
def test_an_application_that_does_not_finish_its_answer_gives_back(
    loop: str, journal: Journal, count: int, *, fails: bool
) -> None:
    wire = Wire(journal)
    outcome = pytest.raises(ApplicationError) if fails else contextlib.nullcontext()
    with outcome:
        run(loop, lambda: wire.exchange(latched(sending(*TWO_PARTS[:count], fails=fails), journal)))
    assert journal.lines == ["claim", *["start", "body+"][:count], "release"]


def test_an_exception_after_the_last_message_undoes_nothing(loop: str, journal: Journal) -> None:
    wire = Wire(journal)
    with pytest.raises(ApplicationError):
        run(loop, lambda: wire.exchange(latched(sending(*TWO_PARTS, fails=True), journal)))
    assert journal.lines == ["claim", "start", "body+", "commit", "body"]


def test_a_connection_that_breaks_while_the_last_message_is_sent_undoes_nothing(loop: str, journal: Journal) -> None:
    async def broken(message: Message) -> None:
        await wire.send(message)
        if message["type"] == "http.response.body":
            raise OSError

    wire = Wire(journal)
    app = latched(sending(start(), body(b"one", more=False)), journal)
    with pytest.raises(OSError, match=r"^$"):
        run(loop, lambda: app(wire.scope, wire.receive, broken))
    assert journal.lines == ["claim", "start", "commit", "body"]


async def hanging(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send(start())
    await anyio.sleep_forever()


@pytest.mark.parametrize("blocking", [False, True], ids=["inline store", "threaded store"])
def test_cancellation_in_the_application_gives_back(loop: str, *, blocking: bool) -> None:
    journal = Journal(blocking=blocking)
    wire = Wire(journal)

    async def scenario() -> None:
        with anyio.move_on_after(0.2) as scope:
            await wire.exchange(latched(hanging, journal))
        assert scope.cancelled_caught

    run(loop, scenario)
    assert journal.lines == ["claim", "start", "release"]


@pytest.mark.parametrize("blocking", [False, True], ids=["inline store", "threaded store"])
def test_a_cancelled_asyncio_task_gives_back(*, blocking: bool) -> None:
    journal = Journal(blocking=blocking)
    wire = Wire(journal)

    async def scenario() -> None:
        started = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            started.set()
            await hanging(scope, receive, send)

        task = asyncio.create_task(wire.exchange(latched(app, journal)))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(scenario(), 30))
    assert journal.lines == ["claim", "start", "release"]


def test_cancellation_in_the_body_claims_nothing_and_keeps_no_file(
    loop: str, journal: Journal, spooled: list[IO[bytes]]
) -> None:
    wire = Wire(journal, [{"type": "http.request", "body": LARGE, "more_body": True}])
    app = latched(hanging, journal, spool_threshold=10)

    async def scenario() -> None:
        with anyio.move_on_after(0.2) as scope:
            await wire.exchange(app)
        assert scope.cancelled_caught

    run(loop, scenario)
    assert (journal.lines, app.spool.used) == ([], 0)
    assert [file.closed for file in spooled] == [True]


def test_cancellation_while_a_store_awaits_its_claim_gives_back(loop: str) -> None:
    class Awaited:
        """Grants at once, and never comes round to saying so."""

        lines: tuple[str, ...] = ()

        async def claim(self, _claim: Claim, /) -> Standing:
            self.lines += ("claim",)
            await anyio.sleep_forever()
            return GRANTED

        async def renew(self, _claim: Claim, /) -> bool:
            return True

        async def commit(self, _claim: Claim, /) -> bool:
            self.lines += ("commit",)
            return True

        async def release(self, _claim: Claim, /) -> None:
            self.lines += ("release",)

    store = Awaited()
    wire = Wire(Journal())

    async def scenario() -> None:
        with anyio.move_on_after(0.2) as scope:
            await wire.exchange(latched(hanging, store))
        assert scope.cancelled_caught

    run(loop, scenario)
    assert (store.lines, wire.sent) == (("claim", "release"), [])


def test_cancellation_while_a_thread_claims_gives_back(loop: str) -> None:
    class Slow(Journal):
        """Grants at once, and says so only when the gate opens."""

        granted = threading.Event()
        gate = threading.Event()

        def claim(self, claim: Claim, /) -> Standing:
            standing = super().claim(claim)
            self.granted.set()
            assert self.gate.wait(20)
            return standing

    store = Slow(blocking=True)
    store.granted, store.gate = threading.Event(), threading.Event()
    wire = Wire(store)

    async def scenario() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wire.exchange, latched(hanging, store))
            assert await to_thread.run_sync(store.granted.wait, 20)
            tasks.cancel_scope.cancel()
            store.gate.set()

    run(loop, scenario)
    assert [line for line in store.lines if line != "start"] == ["claim", "release"]


def test_the_lease_is_renewed_while_the_application_runs(loop: str, journal: Journal) -> None:
    async def slow(_scope: Scope, _receive: Receive, send: Send) -> None:
        await anyio.sleep(1.5)
        for message in TWO_PARTS:
            await send(message)

    wire = Wire(journal)
    run(loop, lambda: wire.exchange(latched(slow, journal, routes={HOOK: GITHUB.chain(SECRET, lease=0.6)})))
    renewed = journal.lines.count("renew")
    assert renewed >= 2
    assert journal.lines == ["claim", *["renew"] * renewed, "start", "body+", "commit", "body"]


UNKNOWN: list[Message] = [
    {"type": "http.response.push", "path": "/style.css", "headers": []},
    {"type": "http.response.early_hint", "links": []},
    {"type": "http.response.debug", "info": {"template": None}},
    {"type": "http.response.start", "status": 200, "headers": [], "trailers": True},
    {"type": "http.response.body", "body": b"text", "more_body": False},
    {"type": "http.response.trailers", "headers": [(b"digest", b"x")], "more_trailers": False},
    {"type": "vendor.of.the.server", "anything": object()},
]


def test_messages_of_every_kind_pass_as_the_objects_they_are(loop: str, journal: Journal) -> None:
    wire = Wire(journal)
    run(loop, lambda: wire.exchange(latched(sending(*UNKNOWN), journal)))
    assert [sent is given for sent, given in zip(wire.sent, UNKNOWN, strict=True)] == [True] * len(UNKNOWN)
    assert journal.lines.index("commit") == journal.lines.index("body") - 1


def test_the_scope_of_the_caller_stays_as_it_was(loop: str, journal: Journal) -> None:
    pool = object()
    seen: list[Scope] = []

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        seen.append(scope)
        scope["path"] = "/changed"
        await send(start(204))
        await send(body(b"", more=False))

    wire = Wire(journal, state={"pool": pool}, extensions={"tls": {}})
    before = {**wire.scope, "headers": list(wire.scope["headers"]), "state": dict(wire.scope["state"])}
    run(loop, lambda: wire.exchange(latched(app, journal)))
    assert wire.scope == before
    assert seen[0]["state"]["pool"] is pool
    assert seen[0]["state"]["webhook"].path == HOOK


def test_the_body_is_replayed_once_and_then_the_server_is_asked(loop: str, journal: Journal) -> None:
    gone: Message = {"type": "http.disconnect"}
    received: list[Message] = []

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        received.extend([await receive(), await receive(), await receive()])
        for message in TWO_PARTS:
            await send(message)

    chunks: list[Message] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.request", "more_body": True},
        {"type": "http.request", "body": b"}"},
    ]
    again: Message = {"type": "http.disconnect", "again": True}
    wire = Wire(journal, [*chunks, gone, again])
    run(loop, lambda: wire.exchange(latched(app, journal)))
    assert received[0] == {"type": "http.request", "body": b"{}", "more_body": False}
    assert [received[1] is gone, received[2] is again] == [True, True]


def test_an_empty_body_is_replayed_too(loop: str, journal: Journal) -> None:
    received: list[Message] = []

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        received.append(await receive())
        await sending(*TWO_PARTS)(_scope, receive, send)

    wire = Wire(journal, [{"type": "http.request"}])
    wire.scope = asgi_scope(push(b""))
    run(loop, lambda: wire.exchange(latched(app, journal)))
    assert received == [{"type": "http.request", "body": b"", "more_body": False}]


def posted(app: ASGIApp, loop: str, request: Delivery, **settings: Any) -> Answered:
    answers: list[Answered] = []

    async def scenario() -> None:
        answers.append(await call_asgi(app, request, **settings))

    run(loop, scenario)
    return answers[0]


@pytest.mark.parametrize("version", ["2.3", "2.4"])
def test_a_streaming_response_reaches_its_end(loop: str, journal: Journal, version: str) -> None:
    async def numbers() -> Any:
        for number in range(5):
            await anyio.sleep(0.01)
            yield f"{number} "

    async def answer(request: StarletteRequest) -> Response:
        assert await request.body() == b"{}"
        return StreamingResponse(numbers())

    app = latched(Starlette(routes=[Route(HOOK, answer, methods=["POST"])]), journal)
    found = posted(app, loop, push(), asgi={"version": "3.0", "spec_version": version})
    assert (found.status, found.body, journal.lines) == (200, b"0 1 2 3 4 ", ["claim", "commit"])


def test_a_middleware_inside_that_reads_the_body_and_streams_gets_all_of_it(loop: str, journal: Journal) -> None:
    async def reading(request: StarletteRequest, call_next: RequestResponseEndpoint) -> Response:
        assert await request.json() == {"a": 1}
        return await call_next(request)

    async def answer(request: StarletteRequest) -> Response:
        read = [chunk async for chunk in request.stream()]
        return StreamingResponse(iter([b"read ", b"".join(read)]))

    inner = Starlette(
        routes=[Route(HOOK, answer, methods=["POST"])],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=reading)],
    )
    found = posted(latched(inner, journal), loop, push(b'{"a":1}'))
    assert (found.body, journal.lines) == (b'read {"a":1}', ["claim", "commit"])


def test_a_background_task_runs_after_the_commit_and_its_failure_undoes_nothing(loop: str, journal: Journal) -> None:
    async def later() -> None:
        journal.lines.append("background")
        raise ApplicationError

    async def answer(_request: StarletteRequest) -> Response:
        return JSONResponse({}, background=BackgroundTask(later))

    app = latched(Starlette(routes=[Route(HOOK, answer, methods=["POST"])]), journal)
    with pytest.raises(ApplicationError):
        posted(app, loop, push())
    assert journal.lines == ["claim", "commit", "background"]


@pytest.mark.parametrize(
    "before",
    [[], [{"type": "http.request", "body": b"{", "more_body": True}]],
    ids=["before its first byte", "mid-body"],
)
def test_a_client_that_goes_away_gets_no_answer_and_the_application_no_call(
    loop: str, journal: Journal, before: list[Message]
) -> None:
    called: list[Scope] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        called.append(scope)

    wire = Wire(journal, [*before, {"type": "http.disconnect"}])
    reasons: list[str] = []
    run(loop, lambda: wire.exchange(latched(app, journal, observer=lambda event: reasons.append(event.reason))))
    assert (wire.sent, called, journal.lines, reasons) == ([], [], [], ["client_disconnected"])


@pytest.mark.parametrize("drip", [False, True], ids=["silent", "dripping"])
def test_a_body_that_does_not_arrive_in_time_is_408(loop: str, journal: Journal, *, drip: bool) -> None:
    class Late(Wire):
        async def receive(self) -> Message:
            await anyio.sleep(0.05 if drip else 20)
            return {"type": "http.request", "body": b" ", "more_body": True}

    wire = Late(journal)
    wire.scope["headers"] = [line for line in wire.scope["headers"] if line[0] != b"content-length"]
    routes = {HOOK: GITHUB.chain(SECRET, body_timeout=0.4)}
    began = time.monotonic()
    run(loop, lambda: wire.exchange(latched(hanging, journal, routes=routes)))
    assert time.monotonic() - began < 10
    assert (wire.sent[0]["status"], journal.lines) == (408, ["start", "body"])


def test_the_deadline_ends_with_the_body(loop: str, journal: Journal) -> None:
    async def slow(_scope: Scope, _receive: Receive, send: Send) -> None:
        await anyio.sleep(0.6)
        for message in TWO_PARTS:
            await send(message)

    wire = Wire(journal)
    routes = {HOOK: GITHUB.chain(SECRET, body_timeout=0.3)}
    run(loop, lambda: wire.exchange(latched(slow, journal, routes=routes)))
    assert wire.sent[0]["status"] == 200


# Large bodies, in every world


def in_chunks(data: bytes, size: int) -> list[Message]:
    return [
        {"type": "http.request", "body": data[at : at + size], "more_body": at + size < len(data)}
        for at in range(0, len(data), size)
    ]


@pytest.mark.parametrize("threshold", [0, 1000, len(LARGE) - 1, len(LARGE), 1 << 20])
def test_a_large_body_arrives_exactly(endpoint: MakeEndpoint, spooled: list[IO[bytes]], threshold: int) -> None:
    made = endpoint(routes={HOOK: CHAIN}, spool_threshold=threshold)
    chunked = {} if made.world == "wsgi" else {"events": in_chunks(LARGE, 7_777)}
    assert made.post(push(LARGE), **chunked).status == 200
    assert made.calls[0].body == LARGE
    assert [file.closed for file in spooled] == [True] * (threshold < len(LARGE))


def test_the_verdict_and_the_request_read_a_large_body_independently(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: CHAIN}, spool_threshold=1000)
    heads: list[bytes] = []

    def read_some() -> None:
        with made.last.open() as opened:
            heads.extend([opened.read(10), made.last.body[:10]])

    made.during = read_some
    made.post(push(LARGE))
    assert (heads, made.calls[0].body) == ([LARGE[:10]] * 2, LARGE)


def test_a_large_body_is_gone_after_the_answer_and_says_so(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: CHAIN}, spool_threshold=1000)
    made.post(push(LARGE))
    with pytest.raises(ValueError, match="gone"):
        made.last.body  # noqa: B018 - reading is what raises


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (push(LARGE), 200),
        (push(LARGE, secret="not-the-secret-of-this-route"), 401),
        (push(LARGE)._replace(headers={**push(LARGE).headers, "content-length": "999999"}), 400),
    ],
    ids=["accepted", "forged", "cut short"],
)
def test_no_temporary_file_stays_open(
    endpoint: MakeEndpoint, spooled: list[IO[bytes]], request_: Delivery, status: int
) -> None:
    made = endpoint(routes={HOOK: CHAIN}, spool_threshold=1000)
    assert made.post(request_).status == status
    gc.collect()
    assert [file.closed for file in spooled] == [True]
    assert made.app.spool.used == 0


def test_no_temporary_file_stays_open_when_the_application_raises(
    endpoint: MakeEndpoint, spooled: list[IO[bytes]]
) -> None:
    made = endpoint(routes={HOOK: CHAIN}, spool_threshold=1000, statuses=[0])
    with pytest.raises(ApplicationError):
        made.post(push(LARGE))
    assert ([file.closed for file in spooled], made.app.spool.used) == ([True], 0)


def test_no_temporary_file_stays_open_when_the_body_grows_too_large(
    endpoint: MakeEndpoint, spooled: list[IO[bytes]]
) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET, max_body=100_000)}, spool_threshold=1000)
    if made.world == "wsgi":
        answer = made.post(push(LARGE), CONTENT_LENGTH="", wsgi__input_terminated=True)
    else:
        headers = [(name.encode(), value.encode()) for name, value in push(LARGE).headers.items()]
        answer = made.post(push(LARGE), events=in_chunks(LARGE, 60_000), headers=headers)
    assert (answer.status, made.reason, len(made.calls)) == (413, "body_too_large", 0)
    assert ([file.closed for file in spooled], made.app.spool.used) == ([True], 0)


def test_a_spool_that_is_full_is_503_and_empties_again(endpoint: MakeEndpoint, spooled: list[IO[bytes]]) -> None:
    made = endpoint(routes={HOOK: CHAIN}, spool_threshold=1000, max_spool=len(LARGE) - 1)
    full = made.post(push(LARGE))
    assert (full.status, made.reason, len(made.calls), made.app.spool.used) == (503, "store_unavailable", 0, 0)
    assert int(full.header("retry-after") or 0) > 0
    assert made.post(push(LARGE[:-1])).status == 200
    assert all(file.closed for file in spooled)


def test_a_disk_that_gives_no_file_is_503_and_takes_nothing_from_the_quota(
    endpoint: MakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_settings: Any) -> IO[bytes]:
        raise OSError(28, "No space left on device")

    made = endpoint(routes={HOOK: CHAIN}, spool_threshold=1000)
    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    assert (made.post(push(LARGE)).status, made.reason) == (503, "store_unavailable")
    assert made.app.spool.used == 0


def test_a_body_in_memory_is_held_in_one_piece(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: CHAIN})
    chunked = {} if made.world == "wsgi" else {"events": in_chunks(LARGE, 7_777)}
    made.post(push(LARGE), **chunked)
    first, second = made.last.body, made.last.body
    assert first is second
