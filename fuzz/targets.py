# ruff: noqa: INP001 - a folder of programs
"""What is fuzzed, and what must hold for every input. No atheris in here: a finding can be replayed without it.

Each target takes bytes and returns if all is well. Anything raised is a finding.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import io
import json
import logging
import posixpath
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote

from Crypto.Signature import eddsa

from hooklatch import Answer, ConfigError, FormField, Header, Provider, Query, Rejected
from hooklatch.asgi import WebhookMiddleware as ASGIWebhookMiddleware
from hooklatch.documents import FormDocument, JSONDocument
from hooklatch.errors import BodyMalformed
from hooklatch.providers import (
    GITHUB,
    MECHANIC,
    MOMENTO,
    PATCHWORKS,
    SPECKLE,
    SPECKLE_BEFORE_2_12,
    STANDARD_WEBHOOKS,
    STRIPE,
)
from hooklatch.routes import Routes
from hooklatch.stores import MemoryStore
from hooklatch.template import Template
from hooklatch.testing import asgi_scope, wsgi_environ
from hooklatch.verifiers.event_id import well_formed
from hooklatch.verifiers.timestamp import Timestamp
from hooklatch.wsgi import WebhookMiddleware as WSGIWebhookMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hooklatch import Chain, Delivery, Webhook
    from hooklatch.observe import Event
    from hooklatch.types import Unit

NOW: Final = 1_700_000_000.0
REASON: Final = re.compile(r"[a-z]+(_[a-z]+)+")
REFUSALS: Final = frozenset({400, 401, 403, 405, 408, 409, 411, 413})
PRIVATE: Final = eddsa.import_private_key(b"for inputs that can be replayed.")


class Finding(AssertionError):
    """A promise that does not hold."""


def demand(condition: object, *shown: object) -> None:
    """Raise ``Finding`` unless *condition* holds."""
    if not condition:
        raise Finding(*shown)


class Tape:
    """An input cut into pieces at two bytes of 255, so that a mutation of one piece leaves the others alone."""

    def __init__(self, data: bytes) -> None:
        self._pieces = data.split(b"\xff\xff")

    def piece(self) -> bytes:
        """Return the next piece, empty at the end."""
        return self._pieces.pop(0) if self._pieces else b""

    def text(self) -> str:
        """Return the next piece as a latin-1 view."""
        return self.piece().decode("latin-1")

    def number(self) -> int:
        """Return the next piece as a number."""
        return int.from_bytes(self.piece()[:3], "big")

    def one_of(self, choices: Sequence[Any]) -> Any:  # noqa: ANN401 - whatever is chosen from
        """Return one of *choices*."""
        return choices[self.number() % len(choices)]

    def rest(self) -> bytes:
        """Return all that is left as one."""
        left, self._pieces = self._pieces, []
        return b"\xff\xff".join(left)


class PublicKeySender:
    """What signs for a record with a public key, which hooklatch itself cannot."""

    def sign(self, body: bytes) -> tuple[dict[str, str], bytes]:
        """Return header lines and body."""
        stamp = str(int(NOW))
        signature = eddsa.new(PRIVATE, "rfc8032").sign(stamp.encode() + b"." + body)
        return {"x-signature": base64.b64encode(signature).decode(), "x-timestamp": stamp}, body


RECORDS: Final[dict[str, Provider]] = {
    record.name: record
    for record in (
        GITHUB,
        MECHANIC,
        MECHANIC.over("order", "total", signature="s", join="|", every=60).using(name="timed"),
        MOMENTO,
        PATCHWORKS.using(algorithm="hmac-ripemd128"),
        SPECKLE,
        SPECKLE_BEFORE_2_12,
        STANDARD_WEBHOOKS,
        STRIPE,
        Provider(
            name="after",
            signature=Header("x-signature", part="v1", many=True),
            timestamp=Header("x-signature", part="t"),
            signed="{body}.{timestamp}",
            encoding="base64url",
            max_age=300,
        ),
        Provider(
            name="head",
            signature=Header("x-signature"),
            timestamp=Header("x-timestamp"),
            timestamp_unit="rfc3339",
            id=Query("id"),
            signed="{method} {path} {query} {header.x-tenant} {id} {timestamp} {body:sha256}",
            algorithm="hmac-sha512",
            encoding="base64",
            max_age=300,
        ),
        Provider(
            name="token",
            signature=Header("x-token"),
            algorithm="token",
            encoding="text",
        ),
        Provider(
            name="public",
            signature=Header("x-signature"),
            timestamp=Header("x-timestamp"),
            signed="{timestamp}.{body}",
            algorithm="ed25519",
            encoding="base64",
            max_age=300,
        ),
    )
}
NAMES: Final = sorted(RECORDS)
HEADERS: Final = (
    "x-signature",
    "x-hub-signature-256",
    "momento-signature",
    "x-hmac-hash",
    "x-webhook-signature",
    "webhook-signature",
    "webhook-id",
    "webhook-timestamp",
    "stripe-signature",
    "x-timestamp",
    "x-tenant",
    "x-token",
    "content-type",
    "content-length",
    "transfer-encoding",
    "origin",
    "access-control-request-method",
    "user-agent",
    "x-http-method-override",
    "x-github-event",
    "expect",
    "host",
)


@cache
def secret_of(name: str) -> str:
    """Return the secret of a sender: no two share one."""
    return "whsec_" + base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()


@cache
def chain_of(name: str, *, unknown: bool = False) -> Chain:
    """Return the chain of a record, half of them with CORS and test agents; with a key that nobody has if *unknown*."""
    record = RECORDS[name]
    options: dict[str, Any] = {"max_body": 3000}
    if NAMES.index(name) % 2:
        options |= {"cors": ["https://shop.example"], "test_agents": ["Test/*"], "on_test": "mark"}
    if record.algorithm == "ed25519":
        private = eddsa.import_private_key(b"nobody signs with this one, ever") if unknown else PRIVATE
        return record.chain(public_keys=private.public_key().export_key(format="PEM"), **options)
    return record.chain(secret_of(f"not {name}" if unknown else name), **options)


def genuine(name: str, body: bytes) -> Delivery | None:
    """Return a delivery of *body*, None where this sender cannot send such a body."""
    from hooklatch import Delivery  # noqa: PLC0415 - for the type above as well

    record = RECORDS[name]
    url = f"/hooks/{name}"
    if name == "public":
        return Delivery("POST", url, *PublicKeySender().sign(body))
    if record.coverage == "fields" or name == "momento":
        # Bodies with the fields that are signed, and the given bytes as a value beside them.
        fields = {"customer_id": "7", "order": "1", "total": "12.50", "other": body.decode("latin-1")}
        given: Any = fields if name != "speckle_before_2_12" else {"payload": fields["other"]}
        with contextlib.suppress(ConfigError):
            return record.sign(given, secret=secret_of(name), at=NOW, url=url)
        return None
    headers = {"x-tenant": "t"} if name == "head" else {}
    return record.sign(body, secret=secret_of(name), at=NOW, url=url, headers=headers)


class Log(logging.Handler):
    """Demands of every line that it is one line of printable ASCII without the secret."""

    def emit(self, record: logging.LogRecord) -> None:
        """Look at a line."""
        line = record.getMessage()
        demand(all(" " <= c <= "~" for c in line), "a log line is not printable", line)
        demand(not any(secret_of(name)[6:] in line for name in NAMES), "a log line holds a secret", line)


class Site:
    """Both doors, with all routes and a protected place, before an application that answers 204."""

    def __init__(self, *, short: bool = True) -> None:
        """Make both doors; without the short ways of ordinary deliveries unless *short*."""
        self.events: list[Event] = []
        self.seen: list[tuple[bytes, Webhook | None]] = []
        self.reason = ""
        """Of the last answer; empty where the application gave it."""
        self.body = b""
        """What the application last read."""
        routes = {f"/hooks/{name}": chain_of(name) for name in NAMES} | {"/mounted/*": chain_of("github")}
        settings: dict[str, Any] = {
            "routes": routes,
            "protect": ["/hooks/*"],
            "clock": lambda: NOW,
            "observer": self.events.append,
            "spool_threshold": 1000,
        }
        self.wsgi = WSGIWebhookMiddleware(self._wsgi, store=MemoryStore(), **settings)
        self.asgi = ASGIWebhookMiddleware(self._asgi, store=MemoryStore(), **settings)
        if not short:
            self.wsgi._ways = self.asgi._ways = {}  # noqa: SLF001 - no option switches them off

    def _wsgi(self, environ: Any, start_response: Any) -> list[bytes]:  # noqa: ANN401
        webhook = environ.get("hooklatch.webhook")
        self.seen.append((environ["wsgi.input"].read() if webhook is not None else b"", webhook))
        start_response("204 No Content", [])
        return []

    async def _asgi(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        webhook = scope.get("state", {}).get("webhook")
        body, more = b"", webhook is not None
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.seen.append((body, webhook))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def call_wsgi(self, environ: dict[str, Any]) -> int:
        """Send one request; return the status."""
        started: list[str] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
            del exc_info
            demand(all(line_is_plain(n) and line_is_plain(v) for n, v in headers), "a response header", headers)
            started.append(status)

        result: Any = self.wsgi(environ, start_response)  # type: ignore[arg-type]
        try:
            b"".join(result)
        finally:
            if hasattr(result, "close"):
                result.close()
        demand(len(started) == 1, "start_response was called", len(started), "times")
        return int(started[0][:3])

    def call_asgi(self, scope: dict[str, Any], events: list[Any]) -> int:
        """Send one request; return the status, 0 where nothing was sent."""
        sent: list[Any] = []

        async def receive() -> Any:  # noqa: ANN401
            await asyncio.sleep(0)
            return events.pop(0) if events else {"type": "http.disconnect"}

        async def send(message: Any) -> None:  # noqa: ANN401
            sent.append(message)

        loop().run_until_complete(self.asgi(scope, receive, send))
        if not sent:
            return 0
        demand(all(line_is_plain(n.decode("latin-1") + v.decode("latin-1")) for n, v in sent[0]["headers"]), sent)
        demand(sent[-1].get("more_body", False) is False, "the answer has no end", sent)
        return int(sent[0]["status"])

    def judge(self, status: int) -> Webhook | None:
        """Demand that one request ended as it may; return the verdict, if the application got one."""
        events, seen = self.events[:], self.seen[:]
        self.events.clear()
        self.seen.clear()
        self.reason = events[0].reason if events else ""
        self.body = seen[0][0] if seen else b""
        demand(len(events) <= 1 and len(seen) <= 1, "more than one end", events, seen)
        if not events:
            demand(seen and seen[0][1] is None and status == 204, "passed by without an application", status)  # noqa: PLR2004
            return None
        event = events[0]
        if event.outcome == "accepted":
            demand(seen and seen[0][1] is not None, "accepted without an application", event)
            return seen[0][1]
        demand(not seen, "refused, and yet the application ran", event)
        demand(REASON.fullmatch(event.reason) or event.reason in {"duplicate", "preflight", "diverted"}, event)
        if event.outcome == "acknowledged":
            demand(status in {200, 204}, event, status)
        else:
            demand(status in REFUSALS or (status == 0 and event.reason == "client_disconnected"), event, status)
        return None


def line_is_plain(text: str) -> bool:
    """Return whether *text* can be a header without becoming two."""
    return all(" " <= c <= "~" for c in text)


@cache
def loop() -> asyncio.AbstractEventLoop:
    """Return the one event loop."""
    return asyncio.new_event_loop()


_calls = 0
_sites: tuple[Site, ...] = ()


def site() -> Site:
    """Return the doors; new ones now and then, so that the memory of duplicates stays small."""
    return sites()[0]


def sites() -> tuple[Site, ...]:
    """Return the doors, and others without short ways that have the same memories."""
    global _calls, _sites  # noqa: PLW0603 - one process, one thread
    _calls += 1
    if not _sites or _calls % 5000 == 0:
        logging.getLogger("hooklatch").handlers = [Log()]
        logging.getLogger("hooklatch").propagate = False
        _sites = (Site(), Site(short=False))
    return _sites


# The targets.


def headers(data: bytes) -> None:
    """Any text in the place of any header: every record's parsers, without a door."""
    tape = Tape(data)
    name = tape.one_of(NAMES)
    lines = [(tape.one_of(HEADERS), tape.text()) for _ in range(tape.number() % 6)]
    method = tape.one_of(("POST", "GET", "OPTIONS", "post", ""))
    url = f"/hooks/{name}?{tape.text()}"
    body = tape.rest()
    try:
        chain_of(name, unknown=True).verify(headers=lines, body=body, method=method, url=url, now=NOW)
    except Rejected as answer:
        demand(answer.status in REFUSALS and REASON.fullmatch(answer.reason), answer)
    except Answer as answer:
        demand(answer.reason == "preflight", answer)
    else:
        msg = "accepted without knowing the secret"
        raise Finding(msg)


def fields(data: bytes) -> None:
    """Header grammars with any label, separator and assignment; timestamps and ids of any text."""
    tape = Tape(data)
    unit: Unit = tape.one_of(("s", "ms", "rfc3339"))
    stamp = tape.text()
    with contextlib.suppress(Answer):
        moment = Timestamp(Header("x"), unit, needed=True, tight=bool(tape.number() % 2)).parse(stamp)
        demand(moment == moment and abs(moment) < 1e12, "no moment", stamp, moment)  # noqa: PLR0124, PLR2004 - nan
    demand(not well_formed(stamp) or line_is_plain(stamp), stamp)
    part = tape.one_of((None, "v1", tape.text()))
    try:
        place = Header("x-a", "x-b", part=part, many=bool(tape.number() % 2), separator=tape.text(), assign=tape.text())
        record = Provider(
            name="made",
            signature=place,
            encoding=tape.one_of(("hex", "base64", "base64url")),
            prefix=tape.text(),
        )
    except ConfigError:
        return
    chain = record.chain(secret_of("made"))
    lines = [(tape.one_of(("x-a", "x-b")), tape.text()) for _ in range(tape.number() % 4)]
    try:
        chain.verify(headers=lines, body=b"", now=NOW)
    except Rejected as answer:
        demand(answer.status in REFUSALS and REASON.fullmatch(answer.reason), answer)
    else:
        msg = "accepted without knowing the secret"
        raise Finding(msg)
    repr(place)


def template(data: bytes) -> None:
    """Any template: refused by ConfigError, or two different requests never have one signed content."""
    tape = Tape(data)
    text = tape.piece().decode("utf-8", "surrogateescape")
    try:
        made = Template(text)
    except ConfigError:
        return
    one, two = _values(made, tape), _values(made, tape)
    bodies = tape.piece(), tape.piece()
    first = made.content(one, bodies[0])
    second = made.content(two, bodies[1])
    covered = bodies if made.body else (b"", b"")
    if first == second:
        demand(one == two and covered[0] == covered[1], "two meanings of one signed content", text, one, two, bodies)


_TEMPLATE_TEXT: Final[dict[str, Callable[[str], str]]] = {
    "timestamp": lambda text: str(1_000_000_000 + sum(text.encode("latin-1"))),
    "interval": lambda text: str(1_000_000 + sum(text.encode("latin-1"))),
    "method": lambda text: ("POST", "PUT", "GET")[len(text) % 3],
    "path": lambda text: "/" + re.sub(r"[\x00-\x20?#\x7f]", "", text),
    "query": lambda text: re.sub(r"[\x00-\x20#\x7f]", "", text),
    "url": lambda text: "https://h/" + re.sub(r"[\x00-\x20#\x7f]", "", text),
}


def _values(made: Template, tape: Tape) -> dict[str, str]:
    """Return values within the grammar that the verifiers hold requests to."""
    values = {}
    for name in sorted(made.names - {"body", "body:sha256"}):
        text = tape.text()
        if name == "id":
            text = text if well_formed(text, made.barred.get("id", "")) else "id"
        elif name in _TEMPLATE_TEXT:
            text = _TEMPLATE_TEXT[name](text)
        elif name.startswith("header."):
            text = text if text and text.isprintable() else "x"
        barred = made.barred.get(name)
        values[name] = text.replace(barred, "") if barred else text
    return values


def _place(step: str) -> int:
    return int(step) if step.isascii() and step.isdecimal() else -1


def json_fields(data: bytes) -> None:
    """Any JSON body: what is read at a path is what ``json`` gives an application."""
    tape = Tape(data)
    path = tape.text().split(".")
    body = tape.rest()
    try:
        document = JSONDocument(body)
        found = document.text(*path)
        document.bounded()
    except BodyMalformed:
        return
    if any(step.isdecimal() and len(step) > 9 for step in path):  # noqa: PLR2004 - no list is as long
        return
    value: Any = json.loads(body)
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        else:
            # As we read them: a place in a list has one spelling, so that nobody else takes "01" for a name.
            reaches = isinstance(value, list) and step == str(_place(step)) and _place(step) < len(value)
            value = value[_place(step)] if reaches else None
    if found is None:
        demand(value is None or isinstance(value, list | dict | float | bool), "not found", path, body, value)
    else:
        same = value == found if isinstance(value, str) else type(value) is int and value == int(found)
        demand(same, "another value than the application's", path, body, found, value)


def form_fields(data: bytes) -> None:
    """Any form: what is read under a name is what the standard library gives an application, first and last."""
    tape = Tape(data)
    name = tape.text()
    body = tape.rest()
    try:
        FormField(name)
    except ConfigError:
        return
    try:
        found = FormDocument(body).text(name)
    except BodyMalformed:
        return
    given = [v for n, v in parse_qsl(body.decode("ascii"), keep_blank_values=True) if n == name]
    demand(given == ([] if found is None else [found]), "another value than the application's", name, body, found)


@cache
def paths_table() -> Routes:
    """Return the routes of the target below."""
    return Routes({"/hooks/github": chain_of("github"), "/many/*": chain_of("stripe")}, ["/private/*", "/api"])


def paths(data: bytes) -> None:
    """Any path and mount: found, refused, or not ours; and never "not ours" for what a lax router reads as ours."""
    tape = Tape(data)
    path = tape.piece().decode("utf-8", "replace")
    mount = tape.piece().decode("utf-8", "replace")
    if mount:
        with contextlib.suppress(Answer):
            paths_table().find_mounted(mount + path, mount)
    paths_table().guards(path, mount)
    try:
        match = paths_table().find(path)
    except Rejected as answer:
        demand(answer.reason in {"request_ambiguous", "route_unknown"}, answer)
        return
    if match is not None:
        return
    for text in (path, unquote(path), unquote(unquote(path))):
        for slashed in (text, text.replace("\\", "/")):
            for lax in (slashed, re.sub(r";[^/]*", "", slashed)):
                plain = posixpath.normpath("/" + lax.lstrip("/"))
                ours = plain in {"/hooks/github", "/api"} or plain.startswith(("/many/", "/private/"))
                demand(not ours, "not judged, but could be run as", plain, path)


def _request(tape: Tape) -> tuple[str, str, list[tuple[str, str]], bytes]:
    """Return a request: a genuine one with some of its parts exchanged, or one of a stranger."""
    name = tape.one_of(NAMES)
    flags = tape.number()
    method = "POST" if flags & 1 else tape.one_of(("GET", "OPTIONS", "HEAD", "post", "PUT", tape.text() or "X"))
    lines = [(tape.one_of(HEADERS), tape.text()) for _ in range((flags >> 4) % 6)]
    body = tape.rest()
    base = genuine(name, body) if flags & 2 else None
    if base is not None:
        replaced = {header for header, _ in lines}
        kept = [(h, v) for h, v in base.headers.items() if h not in replaced or flags & 4]
        return method, base.url, kept + lines, base.body
    return method, f"/hooks/{name}", lines, body


def wsgi(data: bytes) -> None:
    """The WSGI door: any environ a server can make."""
    tape = Tape(data)
    flags = tape.number()
    path, query, length = tape.text(), tape.text(), tape.text()
    request = _request(tape)
    environ = wsgi_environ(request)
    if flags & 1:
        environ["PATH_INFO"] = path
    if flags & 2:
        environ["QUERY_STRING"] = query
    if flags & 4:
        environ["CONTENT_LENGTH"] = length
    if flags & 8:
        environ["SCRIPT_NAME"] = "/mounted"
    if flags & 16:
        environ["wsgi.input_terminated"] = True
    if flags & 32:
        environ["wsgi.input"] = io.BytesIO(request[3][: len(request[3]) // 2])
    if flags & 64:
        del environ["CONTENT_LENGTH"]
    if flags & 128:
        environ["hooklatch.webhook"] = "forged"
    doors = site()
    doors.judge(doors.call_wsgi(environ))


def asgi(data: bytes) -> None:
    """The ASGI door: any scope and events a server can make."""
    tape = Tape(data)
    flags = tape.number()
    path, query, cut = tape.piece(), tape.piece(), tape.number()
    request = _request(tape)
    scope = dict(asgi_scope(request))
    if flags & 1:
        scope["path"] = path.decode("utf-8", "replace")
        scope["raw_path"] = path if flags & 256 else None
    if flags & 2:
        scope["query_string"] = query
    if flags & 8:
        scope["root_path"] = "/mounted"
    if flags & 16:
        scope["headers"] = [(n.upper(), v) for n, v in scope["headers"] if n != b"content-length"]
    if flags & 128:
        scope["state"] = {"webhook": "forged"}
    body = request[3]
    cut %= len(body) + 1
    events: list[Any] = [
        {"type": "http.request", "body": body[:cut], "more_body": True},
        {"type": "http.request", "body": body[cut:]},
    ]
    if flags & 32:
        events[1:] = [{"type": "http.disconnect"}]
    if flags & 64:
        events.insert(1, {"type": "http.request", "more_body": True})
    doors = site()
    doors.judge(doors.call_asgi(scope, events))


def altered(data: bytes) -> None:
    """A genuine request is accepted; with any byte of its body or signature changed it is not, in both worlds."""
    tape = Tape(data)
    name = tape.one_of(NAMES)
    world = tape.one_of(("wsgi", "asgi"))
    where, place, new = tape.number() % 2, tape.number(), tape.number()
    delivery = genuine(name, tape.rest()[:400])
    if delivery is None:
        return
    doors = site()
    doors.seen.clear()

    def post(request: Delivery) -> Webhook | None:
        if world == "wsgi":
            return doors.judge(doors.call_wsgi(wsgi_environ(request)))
        event = {"type": "http.request", "body": request.body, "more_body": False}
        return doors.judge(doors.call_asgi(dict(asgi_scope(request)), [event]))

    changed = _changed(name, delivery, where=where, place=place, new=new)
    if changed is not None:
        forged = post(changed)
        if RECORDS[name].coverage == "body":
            demand(forged is None, "accepted although a byte was changed", changed, delivery)
        elif forged is not None:
            # Only fields are proven: then those must be what was signed.
            signed = dict(parse_qsl(delivery.body.decode(), keep_blank_values=True))
            if name == "speckle_before_2_12":
                signed = {str(k): str(v) for k, v in json.loads(delivery.body).items()} | signed
            for field, value in forged.fields.items():
                demand(signed.get(field) == value, "a changed field was accepted", field, value, changed)
    accepted = post(delivery)
    # The memory may know it from an earlier input, and an id that is no text is refused even when signed.
    known = {"duplicate", "duplicate_altered", "id_malformed"}
    demand(accepted is not None or doors.reason in known, "a genuine one was refused", doors.reason, delivery)


def ways(data: bytes) -> None:
    """Whatever comes, an ordinary delivery's short way and the whole flow say the same of it, in both worlds."""
    tape = Tape(data)
    flags, length = tape.number(), tape.text()
    request = _request(tape)
    found = []
    for doors in sites():
        environ, scope = wsgi_environ(request), dict(asgi_scope(request))
        if flags & 1:
            environ["CONTENT_LENGTH"] = length
            scope["headers"] = [
                (name, length.encode("latin-1") if name == b"content-length" else value)
                for name, value in scope["headers"]
            ]
        events = [{"type": "http.request", "body": request[3], "more_body": bool(flags & 2)}, {"type": "http.request"}]
        status = doors.call_wsgi(environ)
        told = [status, _told(doors.judge(status)), doors.reason, doors.body]
        status = doors.call_asgi(scope, events)
        found.append([*told, status, _told(doors.judge(status)), doors.reason, doors.body])
    demand(found[0] == found[1], "the two ways differ", found, request)


def _told(webhook: Webhook | None) -> tuple[object, ...]:
    if webhook is None:
        return ()
    claim = webhook.claim
    known = (webhook.timestamp, webhook.id, webhook.fields, webhook.test, webhook.key_index)
    return (webhook.provider, webhook.method, *known, claim and (claim.keys, claim.fingerprint, claim.ttl))


def _changed(name: str, delivery: Delivery, *, where: int, place: int, new: int) -> Delivery | None:
    record = RECORDS[name]
    if where and delivery.body and name != "token":
        at = place % len(delivery.body)
        byte = new % 256
        if byte == delivery.body[at]:
            byte ^= 1
        return delivery._replace(body=delivery.body[:at] + bytes([byte]) + delivery.body[at + 1 :])
    header = next((p for p in record.places if isinstance(p, Header)), None)
    if header is None:
        return None
    text = delivery.headers[header.names[0]]
    at = place % len(text)
    character = chr(33 + new % 94)
    if character.lower() == text[at].lower() and record.encoding == "hex":
        return None
    if character == text[at]:
        return None
    changed = text[:at] + character + text[at + 1 :]
    return delivery._replace(headers={**delivery.headers, header.names[0]: changed})


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    "headers": headers,
    "fields": fields,
    "template": template,
    "json": json_fields,
    "form": form_fields,
    "paths": paths,
    "wsgi": wsgi,
    "asgi": asgi,
    "altered": altered,
    "ways": ways,
}

TOKENS: Final = (
    *HEADERS,
    *(f"{{{name}}}" for name in ("body", "body:sha256", "timestamp", "id", "method", "url", "path", "query")),
    *(
        "{interval}",
        "{field.a}",
        "{header.x}",
        "sha256=",
        "v1=",
        "v1,",
        "t=",
        "1700000000",
        "1700000000000",
        "+",
        "%2e",
    ),
    *("2023-11-14T22:13:20Z", "/hooks/github", "/private/", "/many/", "/api", "..", "//", "%2f", "%5c", ";", "chunked"),
    *("https://shop.example", "Test/1", "application/json", "application/x-www-form-urlencoded", "charset=utf-8"),
    *("customer_id=7&", "customer_id_signature=", '{"customer_id":"7",', '"payload":', "\\u0000", "1e3", "NaN"),
    *("0" * 64, "id=", "sha1="),
)


def seeds(name: str) -> Iterator[bytes]:  # noqa: PLR0912 - one branch a target
    """Yield inputs to start from."""
    cut = b"\xff\xff"
    if name == "template":
        for record in RECORDS.values():
            yield cut.join([record.signed.encode(), b"a", b"b", b"c", b"d", b"e"])
    elif name == "json":
        yield cut.join([b"a.b", b'{"a":{"b":"c"},"d":[1,2.5,null,true]}'])
    elif name == "form":
        yield cut.join([b"a", b"a=1&b=%41+c&d[]=2"])
    elif name == "paths":
        for path in (b"/hooks/github", b"/many/a/../b", b"/private/%2e%2e/x", b"http://h/api", b"/x\\..\\api;v=1"):
            yield cut.join([path, b"/mount"])
    elif name == "ways":
        for index in range(len(NAMES)):
            for flags in (b"\x03", b"\x13"):
                yield cut.join([b"", b"9", bytes([index]), flags, b"\x01", b"text", b"body"])
    elif name in {"wsgi", "asgi"}:
        for index in range(len(NAMES)):
            for flags in (b"\x03", b"\x00\x13", b"\x00\x23"):
                yield cut.join([b"", b"", b"", b"", bytes([index]), flags, b"\x01", b"text", b"\x02", b"more", b"body"])
    elif name == "altered":
        for index in range(len(NAMES)):
            for where in (b"\0", b"\1"):
                yield cut.join([bytes([index]), b"", where, b"\x05", b"\x40", b'{"id":"evt_1","a":1}'])
    elif name == "headers":
        for index, known in enumerate(NAMES):
            found = genuine(known, b"{}")
            for header, value in (found.headers if found else {}).items():
                place = HEADERS.index(header) if header in HEADERS else 0
                number = bytes([place])
                yield cut.join([bytes([index]), b"\x01", number, value.encode("latin-1"), b"\0", b"id=7", b"{}"])
    else:
        yield cut.join(
            [b"\0", b"1700000000", b"\1", b"x", b"\1", b"\1", b",", b"=", b"\0", b"", b"\1", b"\0", b"v1=00"]
        )
