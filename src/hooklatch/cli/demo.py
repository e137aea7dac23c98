"""``hooklatch demo``: real servers, real sockets, the founding senders, and a table of what became of each delivery.

A Starlette application on uvicorn and a Flask application on waitress are started on free loopback ports, sent genuine
and hostile deliveries, asked how often their handlers ran, and stopped.
"""

from __future__ import annotations

import http.client
import json
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, get_args

from hooklatch.cli.demo_apps import environment
from hooklatch.cli.demo_cases import CASES, SENDERS, Cell, Outcome, SecretName, legend, prepare, table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from hooklatch import Delivery

NEEDED: Final = ("flask", "uvicorn", "waitress")
ADDRESS: Final = "127.0.0.1"
PATIENCE: Final = 10.0
"""Seconds to wait for one answer."""
TRIES: Final = 3
"""How often a server may find its port taken by somebody else."""
SHOWN: Final = 80
"""How many of the last lines of a log are shown."""


class World(NamedTuple):
    """One interface, with the server that speaks it."""

    title: str
    command: tuple[str, ...]
    """What follows ``python -m``; ``{port}`` is filled in."""


WORLDS: Final = (
    World(
        "ASGI: Starlette on uvicorn",
        ("uvicorn", "--factory", "hooklatch.cli.demo_apps:starlette_app", f"--host={ADDRESS}", "--port={port}",
         "--workers=1", "--no-access-log"),
    ),
    World(
        "WSGI: Flask on waitress",
        ("waitress", f"--listen={ADDRESS}:{{port}}", "--call", "hooklatch.cli.demo_apps:flask_app"),
    ),
)  # fmt: skip


class Broken(Exception):
    """A server did not start, or stopped answering."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments to *parser*."""
    parser.add_argument("--logs", action="store_true", help="show the servers' logs even if all is as expected")
    parser.add_argument(
        "--start-limit", type=float, default=20.0, metavar="SECONDS", help="how long the servers may take to start"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the demo; return 0 if every cell is as expected, 1 if not, 2 if something is not installed."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        print(f"hooklatch demo needs {', '.join(missing)}: pip install 'hooklatch[demo]'", file=sys.stderr)
        return 2
    try:
        with _stoppable():
            return _run(logs=arguments.logs, start_limit=arguments.start_limit)
    except KeyboardInterrupt:
        print("hooklatch demo: stopped, and both servers with it", file=sys.stderr)
        return 130


def _run(*, logs: bool, start_limit: float) -> int:
    began = time.monotonic()
    known = {sender.name: {name: secrets.token_hex(32) for name in get_args(SecretName)} for sender in SENDERS}
    name = secrets.token_hex(8)
    cells: list[Cell] = []
    broken = False
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hooklatch-demo-")))
        servers = [Server(world, folder, name, environment(name, known)) for world in WORLDS]
        try:
            for server in servers:
                stack.callback(server.stop)
                server.start()
            for server in servers:
                server.wait(began + start_limit)
                _say(f"{server.world.title}, {ADDRESS}:{server.port}, process {server.process.pid}")
            for server in servers:
                played: list[Cell] = []
                try:
                    _play(server, known, played)
                finally:
                    cells += played
                    _say("", server.world.title, *table(played))
        except Broken as why:
            broken = True
            _say("", f"WRONG: {why}")
        wrong = sum(cell.wrong for cell in cells)
        if logs or wrong or broken:
            for server in servers:
                _say("", f"log of {server.world.title}", *(f"  | {line}" for line in server.log()[-SHOWN:]))
    checks = [cell for cell in cells if cell.seen]
    end = "; NOT FINISHED" if broken else ""
    _say(
        *(legend(cells) if checks else ()),
        "",
        f"{len(checks)} checks: {len(checks) - wrong} as expected, {wrong} WRONG; "
        f"{len(cells) - len(checks)} do not apply{end}. {time.monotonic() - began:.1f} seconds.",
    )
    return 1 if wrong or broken or not checks else 0


class Server:
    """A server in a process of its own, with its log in a file."""

    process: subprocess.Popen[bytes]

    def __init__(self, world: World, folder: Path, run_name: str, environment: Mapping[str, str]) -> None:
        """*run_name*: what the application must answer with, so that nobody else's server is taken for it."""
        self.world = world
        self.port = 0
        self._folder = folder
        self._file = folder / f"{world.command[0]}.log"
        self._run = run_name
        self._environment = environment

    def start(self) -> None:
        """Start the process on a port that is free at this moment."""
        self.port = _free_port()
        command = [sys.executable, "-m", *(part.format(port=self.port) for part in self.world.command)]
        with self._file.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                command, cwd=self._folder, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def wait(self, deadline: float) -> None:
        """Return once the application answers; raise ``Broken`` at *deadline* (monotonic seconds) or if it ends."""
        tries = TRIES
        while True:
            ended = self.process.poll() is not None
            if ended and any("in use" in line for line in self.log()) and (tries := tries - 1):
                self.start()
            elif ended:
                msg = f"{self.world.title} ended with {self.process.returncode} instead of starting"
                raise Broken(msg)
            with suppress(Broken):
                self.calls()
                return
            if time.monotonic() > deadline:
                msg = f"{self.world.title} has not started in time (--start-limit)"
                raise Broken(msg)
            time.sleep(0.05)

    def calls(self) -> int:
        """Return how often a handler has run; raise ``Broken``."""
        with closing(http.client.HTTPConnection(ADDRESS, self.port, timeout=PATIENCE)) as line:
            try:
                line.request("GET", "/seen")
                report = json.loads(line.getresponse().read())
                if report["run"] == self._run:
                    return int(report["calls"])
            except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError) as why:
                msg = f"{self.world.title} does not answer: {why!r}"
                raise Broken(msg) from why
        msg = f"port {self.port} belongs to somebody else"
        raise Broken(msg)

    def post(self, delivery: Delivery) -> tuple[int, dict[str, str]]:
        """Send *delivery* and return the status and the header lines of the answer; raise ``Broken``."""
        with closing(http.client.HTTPConnection(ADDRESS, self.port, timeout=PATIENCE)) as line:
            try:
                line.request(delivery.method, delivery.url, delivery.body or None, delivery.headers)
                answer = line.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as why:
                msg = f"{self.world.title} does not answer: {why!r}"
                raise Broken(msg) from why
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}

    def log(self) -> list[str]:
        """Return the lines the server has written."""
        return self._file.read_text("utf-8", "replace").splitlines() if self._file.exists() else []

    def stop(self) -> None:
        """End the process, gently and then surely."""
        if not hasattr(self, "process"):
            return
        try:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(3)
        finally:
            self.process.kill()
            self.process.wait()


def _play(server: Server, known: Mapping[str, Mapping[SecretName, str]], cells: list[Cell]) -> None:
    """Send every case of every sender to *server*, one after the other, and add what was seen to *cells*."""
    before = server.calls()
    for sender in SENDERS:
        delivery = None
        for case in CASES:
            expected = case.expected(sender)
            if not case.applies(sender):
                cells.append(Cell(sender, case, expected, None))
                continue
            if delivery is None or not case.again:
                delivery = prepare(case, sender, known[sender.name])
            status, headers = server.post(delivery)
            after = server.calls()
            cells.append(Cell(sender, case, expected, Outcome(status, after - before, case.lacks(headers))))
            before = after


def _free_port() -> int:
    """Return a port that nobody listens on at this moment."""
    with socket.socket() as free:
        free.bind((ADDRESS, 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let a polite kill or a closed terminal end the demo as Ctrl-C does, so that no server outlives it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(*lines: str) -> None:
    """Print *lines* in ASCII, which every terminal shows, and at once."""
    for line in lines:
        print(line.encode("ascii", "backslashreplace").decode("ascii"), flush=True)
