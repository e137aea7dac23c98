"""A Django request, WSGI's or ASGI's, as a route judges it, and what becomes of it afterwards."""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from anyio import to_thread
from django.http import HttpResponse
from django.utils.cache import patch_vary_headers

from hooklatch import asgi, wsgi_incoming
from hooklatch.body import Body
from hooklatch.cors import missing
from hooklatch.digests import FAST_PACE
from hooklatch.drive import pause, turn
from hooklatch.errors import Answer
from hooklatch.lines import ByteLines
from hooklatch.types import Head
from hooklatch.verdict import ENVIRON_KEY, STATE_KEY, judged, strip

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from hooklatch.door import Door
    from hooklatch.routes import Match
    from hooklatch.types import Webhook

_DECLARED: Final = ("CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING")


def asked_of(door: Door, given: HttpRequest) -> Asked | HttpResponse | None:
    """Return what is to be judged, the answer to a path of two meanings, or None where the request is none of ours."""
    request = cast("Any", given)
    scope = getattr(request, "scope", None)
    if scope is not None:
        request.scope, verdict = asgi.stripped(scope)
        full, path, method, mount = asgi.full_path(scope), scope["path"], scope["method"], request.META["SCRIPT_NAME"]
    else:
        verdict = strip(request.META, ENVIRON_KEY)
        mount, method = request.META["SCRIPT_NAME"], request.META["REQUEST_METHOD"]
        full = path = mount + request.META["PATH_INFO"]
    try:
        match = door.routes.find_mounted(full, mount)
    except Answer as answer:
        door.report(answer, method, None, "")
        return _response(door, answer, method)
    if match is None:
        return None
    if verdict is not None and judged(verdict, match.pattern, match.chain.provider, method, path):
        _attach(request, verdict)
        return None
    return Asked(door, request, match, full, method)


class Asked:
    """One request that a route judges."""

    def __init__(self, door: Door, request: Any, match: Match, path: str, method: str) -> None:  # noqa: ANN401 - as below
        scope = getattr(request, "scope", None)
        meta = request.META
        self.chain = match.chain
        self.body = Body(door.spool)
        self._door = door
        self._request = request
        self._pieces: Iterator[bytes] = iter(())
        self._readable = _readable(request)
        self.source = wsgi_incoming.Source(self._readable, self.body, self.chain.body_timeout)
        target = (scope.get("raw_path") or b"").decode("latin-1") if scope is not None else wsgi_incoming.target(meta)
        self.head = Head(
            method=method,
            path=path,
            query=meta.get("QUERY_STRING", "") if scope is None else _query(scope),
            headers=wsgi_incoming.EnvironLines(meta) if scope is None else ByteLines(scope["headers"]),
            received_at=door.clock(),
            length=self.source.length,
            route=match.pattern,
            target=target,
        )
        self.watch = door.limiter.watch(self.head, meta.get("REMOTE_ADDR"))

    async def read_async(self) -> bytes:
        """Return the next body bytes, in pieces that do not hold the event loop for long."""
        piece = next(self._pieces, b"")
        if not piece:
            # Django has the whole body by now, so that only a file is worth a thread.
            length, pace = self.head.length, self.chain.pace
            small = length is not None and length <= self._door.spool.threshold
            chunk = self.source.read() if small else await to_thread.run_sync(self.source.read)
            self._pieces = (chunk[start : start + pace] for start in range(0, len(chunk), pace))
            piece = next(self._pieces, b"")
        if piece:
            await (turn() if self.chain.pace < FAST_PACE else pause())
        return piece

    def refused(self, answer: Answer) -> HttpResponse:
        """Return *answer* as Django has it."""
        self.body.close()
        self._door.report(answer, self.head.method, self.chain, self.head.route)
        response = _response(self._door, answer, self.head.method)
        response._resource_closers.append(partial(wsgi_incoming.drain, self._readable, self.source.left))  # type: ignore[attr-defined]  # noqa: SLF001 - as Django itself does
        return response

    def admit(self, webhook: Webhook) -> None:
        """Hand *webhook* to the views, and the body back to Django."""
        request = self._request
        webhook.captured = self.body
        if hasattr(request, "scope"):
            webhook.path = request.scope["path"]
        request.META["CONTENT_LENGTH"] = str(self.body.size)
        request.META.pop("HTTP_TRANSFER_ENCODING", None)
        if not hasattr(request, "_body"):
            request._stream = self.body.open()  # noqa: SLF001 - what request.body does when it has read the stream
            request._read_started = False  # noqa: SLF001
        _attach(request, webhook)
        if self._door.observer.listens:
            self._door.observer.accepted(provider=self.chain.provider, route=self.head.route, method=self.head.method)

    def dress(self, response: HttpResponseBase) -> None:
        """Give the application's *response* the header lines of the route."""
        for name, value in missing(self.chain.lines_for(self.head), response.items()):
            if name == "vary":
                patch_vary_headers(response, (value,))
            else:
                response[name] = value


def _readable(request: Any) -> dict[str, Any]:  # noqa: ANN401 - Django's own attributes
    """Return an environ from which the body can be read, whoever else has read it."""
    meta: dict[str, Any] = request.META
    if hasattr(request, "_body"):
        return {"wsgi.input": io.BytesIO(request.body), "CONTENT_LENGTH": str(len(request.body))}
    if not hasattr(request, "scope") and not request._read_started:  # noqa: SLF001 - or else it cannot be told
        return meta
    declared: dict[str, Any] = {name: meta[name] for name in _DECLARED if name in meta}
    return {**declared, "wsgi.input": request, "wsgi.input_terminated": True}


def _query(scope: Mapping[str, Any]) -> str:
    """Return the query of an ASGI request; Django's own test client gives it as text."""
    query: str | bytes = scope.get("query_string", b"")
    return query if isinstance(query, str) else query.decode("latin-1")


def _attach(request: Any, webhook: Webhook) -> None:  # noqa: ANN401 - it gets an attribute more
    request.webhook = webhook
    if hasattr(request, "scope"):
        request.scope = {**request.scope, "state": {**(request.scope.get("state") or {}), STATE_KEY: webhook}}
    else:
        request.META[ENVIRON_KEY] = webhook
    if webhook.coverage == "body" and not webhook.test:
        # Whoever made the signature meant this body; no browser was tricked into sending it.
        request.csrf_processing_done = True


def _response(door: Door, answer: Answer, method: str) -> HttpResponse:
    status, headers, body = door.response(answer, method)
    response = HttpResponse(body, status=status, headers=dict(headers))
    if not any(name == "content-type" for name, _ in headers):
        del response["content-type"]
    return response
