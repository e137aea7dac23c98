"""A real Redis and a real PostgreSQL, started by the tests that need them, on free ports of the loopback."""

from __future__ import annotations

import atexit
import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

INSTALL = {
    "redis-server": "apt-get install redis-server",
    "initdb": "apt-get install postgresql",
    "php": "apt-get install php-cli",
}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def program(name: str) -> str:
    """Return the path of *name*; skip the test where it is not installed, or fail where CI promised it."""
    candidates = [shutil.which(name), *map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))]
    found = next((candidate for candidate in candidates if candidate), None)
    if found is None:
        absent(f"{name} is missing: {INSTALL[name]}")
    return found


def absent(message: str) -> NoReturn:
    """Skip the test for want of what *message* names, or fail where CI promised it."""
    if os.environ.get("HOOKLATCH_SERVICES") == "required":
        pytest.fail(message)
    pytest.skip(message)


class Server:
    """One server process that can be killed, stopped in its tracks, and started again on its port."""

    def __init__(self, command: list[str], ready: Callable[[], bool], user: str | None = None) -> None:
        self._command = command
        self._ready = ready
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None
        self.start()
        atexit.register(self.kill)

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=self._user, cwd="/"
        )
        deadline = time.monotonic() + 30
        while not self._ready():
            assert time.monotonic() < deadline, f"{self._command[0]} did not start"
            assert self._process.poll() is None, f"{self._command[0]} ended at once"
            time.sleep(0.05)

    def kill(self) -> None:
        if self._process is not None:
            self._signal_all(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def hang(self) -> None:
        assert self._process is not None
        self._signal_all(signal.SIGSTOP)

    def wake(self) -> None:
        assert self._process is not None
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        """Signal the server and its children: PostgreSQL answers from a process per connection."""
        assert self._process is not None
        command = ["ps", "-o", "pid=", "--ppid", str(self._process.pid)]
        listed = subprocess.run(command, capture_output=True, text=True, check=False)
        for process in [self._process.pid, *map(int, listed.stdout.split())]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)


class RedisServer(Server):
    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        super().__init__([program("redis-server"), *options], self._answers)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(7) == b"+PONG\r\n"
        return False


class PostgresServer(Server):
    def __init__(self) -> None:
        initdb = program("initdb")
        self.port = free_port()
        self.url = f"postgresql://hooklatch@127.0.0.1:{self.port}/postgres"
        # PostgreSQL refuses to run as root.
        user = "postgres" if os.geteuid() == 0 else None
        folder = Path(tempfile.mkdtemp(prefix="hooklatch-pg-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        if user:
            os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
        data = str(folder / "data")
        command = [initdb, "-D", data, "-A", "trust", "-U", "hooklatch", "--no-sync", "-E", "UTF8", "--locale=C"]
        subprocess.run(command, check=True, capture_output=True, user=user, cwd="/")
        server = str(Path(initdb).resolve().with_name("postgres"))
        options = ["-D", data, "-k", str(folder), "-p", str(self.port), "-h", "127.0.0.1", "-c", "fsync=off"]
        super().__init__([server, *options], self._answers, user)

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@cache
def redis_server() -> RedisServer:
    """Return this process's Redis, for tests that leave it running."""
    return RedisServer()


@cache
def postgres_server() -> PostgresServer:
    """Return this process's PostgreSQL, for tests that leave it running."""
    return PostgresServer()
