"""What the tests of real servers run in them: the corpus routes before an application that takes anything and counts.

``/control`` stands outside of the middleware: it answers with what happened since the last time, and starts afresh;
``/control/answer/500`` tells the application what to answer. The other half starts a server in a process of its own,
and speaks to it in bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Self

from hooklatch.asgi import WebhookMiddleware as ASGIWebhookMiddleware
from hooklatch.providers import GITHUB
from hooklatch.stores import MemoryStore
from hooklatch.wsgi import WebhookMiddleware as WSGIWebhookMiddleware

CONTROL = "/control"
ANSWER = "/control/answer/"
HERE = Path(__file__).parent
ADDRESS = "127.0.0.1"
LARGE = "/large"
"""A route for large bodies, beside those of the corpus."""
LARGE_SECRET = "a secret for large bodies"
LARGE_BODY = 64 << 20
THRESHOLD = 1 << 16

# What runs in the server

if os.environ.get("SERVER_APPS_WITHOUT_EXTENSION"):
    sys.modules["hooklatch._ripemd128_c"] = None  # type: ignore[assignment]


class Stage:
    """The middleware of both worlds and what became of the requests since the last look."""

    def __init__(self) -> None:
        from test_corpus import FIXTURES, routes

        timeout = float(os.environ.get("SERVER_APPS_BODY_TIMEOUT", "30"))
        self._routes = {
            **routes(timeout),
            LARGE: GITHUB.chain(LARGE_SECRET, max_body=LARGE_BODY, body_timeout=timeout),
        }
        self._protect = [FIXTURES["protected_prefix"] + "/*"]
        self._now = float(FIXTURES["clock"])
        self.restart()

    def restart(self) -> None:
        """Forget every delivery and call."""
        self.status = 200
        self.calls: list[dict[str, Any]] = []
        self.reasons: list[str] = []
        settings: dict[str, Any] = {
            "routes": self._routes,
            "protect": self._protect,
            "clock": lambda: self._now,
            "observer": lambda event: self.reasons.append(event.reason),
            "spool_threshold": THRESHOLD,
        }
        self.wsgi = WSGIWebhookMiddleware(self._wsgi, store=MemoryStore(), **settings)
        self.asgi = ASGIWebhookMiddleware(self._asgi, store=MemoryStore(), **settings)

    def control(self, path: str) -> bytes:
        """Return what happened as JSON and start afresh, or be told what the application is to answer."""
        if path.startswith(ANSWER):
            self.status = int(path.removeprefix(ANSWER))
            return b""
        report = json.dumps({"calls": self.calls, "reasons": self.reasons, "process": os.getpid()}).encode()
        self.restart()
        return report

    def _note(self, method: str, path: str, body: bytes, webhook: Any) -> None:
        self.calls.append(
            {
                "method": method,
                "path": path,
                "body": hashlib.sha256(body).hexdigest(),
                "webhook": webhook is not None,
                "test": webhook is not None and webhook.test,
            }
        )

    def _wsgi(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        # The middleware leaves the end of a body recognisable; without it, the length is all there is.
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length)
        self._note(environ["REQUEST_METHOD"], environ.get("PATH_INFO", ""), body, environ.get("hooklatch.webhook"))
        start_response(f"{self.status} Told", [("Content-Type", "text/plain"), ("Content-Length", "2")])
        return [b"ok"]

    async def _asgi(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self._note(scope["method"], scope["path"], body, (scope.get("state") or {}).get("webhook"))
        await answer(send, self.status, b"ok")


async def answer(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


@cache
def stage() -> Stage:
    """Return this process's stage, made at the first request: a test that imports this module needs none."""
    logging.getLogger("hooklatch").setLevel(logging.ERROR)
    return Stage()


def wsgi(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    path = environ.get("PATH_INFO", "")
    if not path.startswith(CONTROL):
        return stage().wsgi(environ, start_response)
    report = stage().control(path)
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(report)))])
    return [report]


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        for kind in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{kind}.complete"})
    elif scope["path"].startswith(CONTROL):
        await answer(send, 200, stage().control(scope["path"]))
    else:
        await stage().asgi(scope, receive, send)


# What starts a server


class Program(NamedTuple):
    """One server: what it speaks, and what follows ``python -m``."""

    interface: str
    command: str


PROGRAMS = {
    "uvicorn-h11": Program(
        "asgi", "uvicorn --http h11 --loop asyncio --no-access-log --host {host} --port {port} server_apps:asgi"
    ),
    "uvicorn-httptools": Program(
        "asgi", "uvicorn --http httptools --loop asyncio --no-access-log --host {host} --port {port} server_apps:asgi"
    ),
    "hypercorn": Program("asgi", "hypercorn --workers 0 --bind {host}:{port} server_apps:asgi"),
    "granian-asgi": Program(
        "asgi", "granian --interface asgi --loop asyncio --no-ws --host {host} --port {port} server_apps:asgi"
    ),
    "gunicorn-sync": Program("wsgi", "gunicorn --worker-class sync --bind {host}:{port} server_apps:wsgi"),
    "gunicorn-gthread": Program(
        "wsgi", "gunicorn --worker-class gthread --threads 4 --bind {host}:{port} server_apps:wsgi"
    ),
    "gunicorn-uvicorn": Program(
        "asgi", "gunicorn --worker-class uvicorn.workers.UvicornWorker --bind {host}:{port} server_apps:asgi"
    ),
    "daphne": Program("asgi", "daphne --bind {host} --port {port} --no-server-name server_apps:asgi"),
    "cheroot": Program("wsgi", "cheroot --bind {host}:{port} server_apps:wsgi"),
    "uwsgi": Program("wsgi", "server_apps uwsgi {host} {port}"),
    "wsgiref": Program("wsgi", "server_apps wsgiref {host} {port}"),
    "werkzeug": Program("wsgi", "server_apps werkzeug {host} {port}"),
    "waitress": Program("wsgi", "waitress --listen={host}:{port} server_apps:wsgi"),
    "granian-wsgi": Program(
        "wsgi", "granian --interface wsgi --blocking-threads 4 --host {host} --port {port} server_apps:wsgi"
    ),
}


class Report(NamedTuple):
    """What happened in the server since the last look."""

    calls: list[dict[str, Any]]
    reasons: list[str]
    process: int


class Server:
    """A server in a process group of its own; its log is kept for the tests."""

    def __init__(self, name: str, **environment: str) -> None:
        """Start the server called *name* and wait until it answers."""
        self.name = name
        self.interface = PROGRAMS[name].interface
        foreign = ("UVICORN_", "GRANIAN_", "GUNICORN_", "WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS")
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
        path = os.pathsep.join([str(HERE), *(str(Path(entry).absolute()) for entry in sys.path)])
        for _ in range(3):
            self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
            with socket.socket() as free:
                free.bind((ADDRESS, 0))
                self.port: int = free.getsockname()[1]
            command = PROGRAMS[name].command.format(host=ADDRESS, port=self.port)
            self._process = subprocess.Popen(
                [sys.executable, "-m", *command.split()],
                cwd="/",
                env={**inherited, **environment, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                start_new_session=True,
            )
            if self._answers():
                return
        message = f"{name} did not start:\n{self.last_words}"
        raise AssertionError(message)

    def _answers(self) -> bool:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
                self.report()
                return True
            time.sleep(0.05)
        self.stop()
        return False

    def report(self) -> Report:
        """Return what happened since the last time; everything is forgotten."""
        line = http.client.HTTPConnection(ADDRESS, self.port, timeout=20)
        with contextlib.closing(line):
            line.request("GET", CONTROL, headers={"Connection": "close"})
            return Report(**json.loads(line.getresponse().read()))

    def connect(self, timeout: float = 20) -> socket.socket:
        """Return a new connection."""
        line = socket.create_connection((ADDRESS, self.port), timeout)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return line

    def exchange(self, request: bytes, *, then_close: bool = False, timeout: float = 10) -> Answered:
        """Send these bytes, all before reading anything, and return the first final answer."""
        with self.connect(timeout) as line:
            with contextlib.suppress(OSError):  # a server may hang up early: what did it say?
                line.sendall(request)
                if then_close:
                    line.shutdown(socket.SHUT_WR)
            return receive_answer(line, bodiless=request.startswith(b"HEAD "))

    def log(self) -> str:
        """Return what the server has written."""
        self._log.seek(0)
        return self._log.read().decode("utf-8", "replace")

    def stop(self) -> None:
        """Kill the process and its workers, once."""
        if self._log.closed:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.last_words = self.log()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@dataclass
class Servers:
    """Servers that are started when first asked for, and stopped together."""

    started: dict[str, Server]

    def __getitem__(self, name: str) -> Server:
        if name not in self.started:
            self.started[name] = Server(name)
        return self.started[name]


@contextlib.contextmanager
def lazily_started() -> Iterator[Servers]:
    servers = Servers({})
    try:
        yield servers
    finally:
        for server in servers.started.values():
            server.stop()


# What speaks to one, in bytes


class Answered(NamedTuple):
    """The first final answer on a connection. ``status`` is 0 where the server hung up, -1 where it said nothing."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for given, value in self.headers if given == name]


def receive_answer(line: socket.socket, *, bodiless: bool = False) -> Answered:
    """Read one answer, passing over the preliminary ones."""
    data = bytearray()
    while True:
        head, end, rest = bytes(data).partition(b"\r\n\r\n")
        if end:
            status, headers = parsed(head)
            if status >= 200:
                break
            del data[: len(head) + 4]
            continue
        try:
            piece = line.recv(1 << 16)
        except TimeoutError:
            return Answered(-1, [], b"")
        except ConnectionError:
            piece = b""
        if not piece:
            return Answered(0, [], bytes(data))
        data += piece
    lengths = [0] if bodiless or status == 204 else [int(value) for name, value in headers if name == "content-length"]
    body = bytearray(rest)
    with contextlib.suppress(OSError):
        while (not lengths or len(body) < lengths[0]) and (piece := line.recv(1 << 16)):
            body += piece
    return Answered(status, headers, bytes(body))


def parsed(head: bytes) -> tuple[int, list[tuple[str, str]]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    found = re.fullmatch(r"HTTP/[0-9.]+ ([0-9]{3})(?: .*)?", first)
    assert found, first
    headers = [line.partition(":")[::2] for line in lines]
    return int(found[1]), [(name.strip().lower(), value.strip()) for name, value in headers]


def wire(
    method: str | bytes,
    target: str | bytes,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    *,
    length: bool = True,
) -> bytes:
    """Return a request as bytes: the headers in their order, as they are; a length unless told otherwise."""
    lines = [b" ".join([latin(method), latin(target), b"HTTP/1.1"]), b"Host: hooks.example"]
    lines += [latin(name) + b": " + latin(value) for name, value in headers]
    if length:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, b"", body])


def chunked(*pieces: bytes) -> bytes:
    """Return the *pieces* in the chunked coding."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))


def latin(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")


def serve(kind: str, host: str, port: int) -> None:
    """Run one of the servers that cannot be run by ``python -m``."""
    match kind:
        case "werkzeug":
            from werkzeug.serving import run_simple

            run_simple(host, port, wsgi, threaded=True)
        case "uwsgi":
            import pyuwsgi  # type: ignore[import-not-found]

            options = (
                f"--http-socket {host}:{port} --module server_apps:wsgi --buffer-size 65535 --need-app --die-on-term"
            )
            pyuwsgi.run(options.split())
        case _:
            from wsgiref.simple_server import make_server

            make_server(host, port, wsgi).serve_forever()


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], int(sys.argv[3]))
