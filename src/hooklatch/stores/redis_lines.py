"""How a Redis store asks its server: on connections that it keeps, or through a client of the application's own.

A client looks after much that a store has no need of: it packs whatever it is given, checks a connection out and in,
looks whether it still lives, measures. That takes three times as long as the server's answer. A store sends words, and
knows what to do about a dead connection: ask again, which is safe, because a claim is asked for under one token.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Any, Final

import redis

if TYPE_CHECKING:
    from collections.abc import Sequence

_SEVERED: Final = redis.ConnectionError
_MEMORY: Final = ("CONFIG", "GET", "maxmemory*")


class Lines:
    """The connections of this process to one server, each used by one thread at a time and kept."""

    def __init__(self, client: Any, timeout: float) -> None:  # noqa: ANN401 - of a library without types
        """*client*: made from a URL; *timeout*: seconds that asking may take, a second attempt included."""
        self._client = client
        self._pool = client.connection_pool
        self._patience = timeout / 2
        self._process = os.getpid()
        self._idle: list[Any] = []

    def ask(self, *words: str) -> Any:  # noqa: ANN401 - as the server answers
        """Send one command and return its answer; raise as redis-py does."""
        command = packed(words)
        line = self._taken()
        started = time.monotonic()
        try:
            try:
                return _asked(line, command)
            except _SEVERED:
                if time.monotonic() - started > self._patience:
                    raise
                return _asked(line, command)
        finally:
            # What has failed is closed by now, and opens itself when it is used again.
            self._idle.append(line)

    def _taken(self) -> Any:  # noqa: ANN401 - of a library without types
        process = os.getpid()
        if process != self._process:
            # A forked child must not speak on its parent's connections.
            self._process, self._idle = process, []
            self._pool.reset()
        try:
            return self._idle.pop()
        except IndexError:
            return self._pool.make_connection()

    def config(self) -> object:
        """Return what the server says of its memory."""
        return self.ask(*_MEMORY)

    def close(self) -> None:
        """Close what is idle; it opens itself again."""
        for line in list(self._idle):
            line.disconnect()
        self._client.close()


class AsyncLines:
    """The connections of one event loop to one server."""

    def __init__(self, client: Any, timeout: float) -> None:  # noqa: ANN401 - of a library without types
        """*client*: made from a URL; *timeout*: seconds that asking may take, a second attempt included."""
        self.client = client
        self._pool = client.connection_pool
        self._patience = timeout / 2
        self._idle: list[Any] = []
        self._made = 0

    async def ask(self, *words: str) -> Any:  # noqa: ANN401 - as the server answers
        """Send one command and return its answer; raise as redis-py does, or ``TimeoutError``."""
        command = packed(words)
        line = self._idle.pop() if self._idle else self._new()
        try:
            try:
                return await self._asked(line, command)
            except _SEVERED:
                return await self._asked(line, command)
        finally:
            # What has failed is closed by now, and opens itself when it is used again.
            self._idle.append(line)

    def _new(self) -> Any:  # noqa: ANN401 - of a library without types
        # Unlike its twin, an asynchronous pool does not count what it makes for others.
        if self._made >= self._pool.max_connections:
            msg = "Too many connections"
            raise redis.ConnectionError(msg)
        self._made += 1
        return self._pool.make_connection()

    async def _asked(self, line: Any, command: Sequence[bytes]) -> Any:  # noqa: ANN401 - of a library without types
        async with asyncio.timeout(self._patience):
            await line.send_packed_command(command)
            return await line.read_response()

    async def config(self) -> object:
        """Return what the server says of its memory."""
        return await self.ask(*_MEMORY)

    async def close(self) -> None:
        """Close what is idle; it opens itself again."""
        for line in list(self._idle):
            await line.disconnect()
        await self.client.aclose()


class Borrowed:
    """A client of the application's own: of whatever kind, with timeouts of its own."""

    def __init__(self, client: Any, timeout: float) -> None:  # noqa: ANN401 - any client that speaks the protocol
        """*timeout*: seconds after half of which nothing is asked twice."""
        self._client = client
        self._patience = timeout / 2

    def ask(self, *words: str) -> Any:  # noqa: ANN401 - as the server answers
        """Send one command and return its answer."""
        started = time.monotonic()
        try:
            return self._client.execute_command(*words)
        except _SEVERED:
            if time.monotonic() - started > self._patience:
                raise
            return self._client.execute_command(*words)

    def config(self) -> object:
        """Return what the server says of its memory."""
        return self._client.config_get(_MEMORY[-1])

    def close(self) -> None:
        """Do nothing: it is not ours to close."""


class AsyncBorrowed:
    """The same, awaited."""

    def __init__(self, client: Any, timeout: float) -> None:  # noqa: ANN401 - any client that speaks the protocol
        """*timeout*: seconds that asking may take, a second attempt included."""
        self._client = client
        self._timeout = timeout

    async def ask(self, *words: str) -> Any:  # noqa: ANN401 - as the server answers
        """Send one command and return its answer."""
        async with asyncio.timeout(self._timeout):
            try:
                return await self._client.execute_command(*words)
            except _SEVERED:
                return await self._client.execute_command(*words)

    async def config(self) -> object:
        """Return what the server says of its memory."""
        async with asyncio.timeout(self._timeout):
            return await self._client.config_get(_MEMORY[-1])


def packed(words: Sequence[str]) -> tuple[bytes]:
    """Return a command as it is sent: how many words, then each with its length."""
    parts = [word.encode() for word in words]
    return (b"*%d\r\n%b" % (len(parts), b"".join([b"$%d\r\n%b\r\n" % (len(part), part) for part in parts])),)


def _asked(line: Any, command: Sequence[bytes]) -> Any:  # noqa: ANN401 - of a library without types
    try:
        line.send_packed_command(command)
        return line.read_response()
    except redis.ResponseError:
        raise
    except BaseException:
        # Whoever stops a thread between question and answer must not leave the answer to the next question.
        line.disconnect()
        raise
