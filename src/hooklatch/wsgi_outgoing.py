"""The answer of a WSGI application on its way out, and the moment at which the claim is settled.

A 2xx commits just before its last chunk leaves; everything else releases: another status, an exception, a body that
ends early, a server that closes without reading. It is a class and not a generator, because ``close()`` on a generator
that never started would skip its ``finally``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

from hooklatch.cors import missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from hooklatch.body import Body
    from hooklatch.errors import Headers
    from hooklatch.settle import Settlement

_END: Final = b"\0end"
_LISTS: Final = (list, tuple)
_LENGTH: Final = len("content-length")


class Outgoing:
    """Runs the application for one request and settles its claim."""

    _started = _good = False
    _length: int | None = None
    _sent = 0
    _held: bytes | None = None
    _app_result: Iterable[bytes] = ()
    _iterator: Iterator[bytes] | None = None

    def __init__(
        self, start_response: StartResponse, settlement: Settlement, body: Body, lines: Headers, method: str
    ) -> None:
        """*lines*: header lines that every answer of the route carries."""
        self._start_response = start_response
        self._settlement = settlement
        self._body = body
        self._lines = lines
        self._method = method
        self._write: Callable[[bytes], object] = _nothing

    def run(self, app: WSGIApplication, environ: WSGIEnvironment) -> Iterable[bytes]:
        """Call *app* and return what the server is to send."""
        try:
            result = app(environ, self._start)
        except BaseException:
            self._settle(good=False)
            self._body.close()
            raise
        self._app_result = result
        listed = isinstance(result, _LISTS)
        if self._started and self._held is None and not self._body.on_disk and (listed or _is_file(result, environ)):
            # The application is done; the server keeps what it knows to do with lists and files.
            short = listed and self._length is not None and sum(map(len, result)) < self._length
            self._settlement.finish(good=self._good and not short)
            return result
        return self

    def _start(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: Any = None,  # noqa: ANN401 - as PEP 3333 has it
    ) -> Callable[[bytes], object]:
        # The last call counts: an error handler may replace a 200 that has not left yet.
        self._started = True
        self._good = status.startswith("2")
        self._length = None
        for name, value in headers:
            if len(name) == _LENGTH and name.lower() == "content-length" and value.isdecimal():
                self._length = None if self._method == "HEAD" else int(value)
        if self._lines:
            headers = [*headers, *missing(self._lines, headers)]
        self._write = (
            self._start_response(status, headers, exc_info) if exc_info else self._start_response(status, headers)
        )
        return self._write_held

    def _write_held(self, data: bytes) -> None:
        """Pass on what was written before, and hold *data* back: it may be the last."""
        held, self._held = self._held, data
        if held is not None:
            self._sent += len(held)
            self._write(held)

    def _settle(self, *, good: bool) -> None:
        self._settlement.finish(good=good)

    def __iter__(self) -> Self:
        """Return itself: it is read once."""
        return self

    def __next__(self) -> bytes:
        """Return the next chunk; settle before the last one."""
        try:
            return self._next()
        except StopIteration:
            raise
        except BaseException:
            self._settle(good=False)
            raise

    def _next(self) -> bytes:
        if self._iterator is None:
            self._iterator = iter(self._app_result)
        chunk = next(self._iterator, _END)
        if chunk is _END:
            held, self._held = self._held, None
            whole = self._length is None or self._sent + len(held or b"") >= self._length
            self._settle(good=self._good and whole)
            if held is None:
                raise StopIteration
            self._sent += len(held)
            return held
        held, self._held = self._held, chunk
        if held is None and (not self._settlement.pending or self._fills(chunk)):
            self._held = None
            self._sent += len(chunk)
            return chunk
        # PEP 3333 forbids to wait for a second value before giving the first: an empty one stands in for it.
        self._sent += len(held or b"")
        return b"" if held is None else held

    def _fills(self, chunk: bytes) -> bool:
        """Return whether nothing need be held back because the length is known; settle with the chunk that fills it."""
        if self._length is None or not self._started:
            return False
        if self._sent + len(chunk) >= self._length:
            self._settle(good=self._good)
        return True

    def close(self) -> None:
        """Release what nobody settled, and close what the application returned."""
        result, self._app_result = self._app_result, ()
        try:
            self._settle(good=False)
        finally:
            try:
                close = getattr(result, "close", None)
                if close is not None:
                    close()
            finally:
                self._body.close()


def _is_file(result: Iterable[bytes], environ: WSGIEnvironment) -> bool:
    """Return whether *result* is a file that the server sends in its own way (PEP 3333, ``wsgi.file_wrapper``)."""
    wrapper = environ.get("wsgi.file_wrapper")
    return isinstance(wrapper, type) and isinstance(result, wrapper)


def _nothing(data: bytes) -> None:
    """Stand in for the server's ``write`` until the application has started its response."""
