"""``hooklatch providers``: the catalogue as a table or as JSON, and one sender in words, with code to begin with."""

from __future__ import annotations

import dataclasses
import json
import sys
import textwrap
from collections.abc import Mapping
from string import Template
from typing import TYPE_CHECKING, Final

from hooklatch.cli import UsageError
from hooklatch.fields import Claim, FormField, Header, JSONField, Query
from hooklatch.handshakes import named, sentence
from hooklatch.keys import PUBLIC_ALGORITHMS
from hooklatch.providers import names, provider
from hooklatch.remote_keys import Published
from hooklatch.schemes import scheme

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from hooklatch.fields import Field
    from hooklatch.provider import Provider

COLUMNS: Final = ("NAME", "ALGORITHM", "SIGNATURE", "EVIDENCE", "COVERAGE", "DOCS")
WIDTH: Final = 110
INDENT: Final = 17


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``providers`` takes to *parser*."""
    parser.add_argument(
        "words",
        metavar="WORD",
        nargs="*",
        help="one whole name, to be told all about it; or words that must all occur in a sender's name, algorithm, "
        "evidence, coverage, scheme or handshake",
    )
    parser.add_argument(
        "--json", action="store_true", help="print the facts as JSON: a list, or one object for a whole name"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print one sender, or all that fit the words, and return 0; raise ``UsageError``."""
    words = [word.lower() for word in arguments.words]
    known = names()
    one = provider(words[0]) if len(words) == 1 and words[0] in known else None
    found = [one] if one else [record for record in map(provider, known) if _fits(record, words)]
    if not found:
        msg = f"no sender fits {' '.join(words)!r}; 'hooklatch providers' lists those that are known"
        raise UsageError(msg)
    if arguments.json:
        print(json.dumps(facts(one) if one else [facts(record) for record in found], indent=2))
    else:
        print(described(one) if one else table(found))
    return 0


def facts(record: Provider) -> dict[str, object]:
    """Return every fact of *record* as JSON can hold it, its coverage, and what a route needs besides."""
    found = {one.name: getattr(record, one.name) for one in dataclasses.fields(record)}
    plain = {name: _plain(fact) for name, fact in found.items()}
    return {**plain, "signature": _plain(record.places), "coverage": record.coverage, "needs": needs(record)}


def needs(record: Provider) -> list[str]:
    """Return the names of what a route of this sender cannot be made without."""
    keys = "public_keys" if record.algorithm in PUBLIC_ALGORITHMS else "secrets"
    url = ["public_url"] if record.signs_url else []
    return [keys, *url, *(f"expect.{name}" for name in record.expects)]


def table(records: Iterable[Provider]) -> str:
    """Return one line per sender under a line of headings."""
    rows = [COLUMNS]
    for record in records:
        places = dict.fromkeys(map(_short, record.places))
        rows.append((record.name, record.algorithm, " or ".join(places), record.evidence, record.coverage, record.docs))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def described(record: Provider) -> str:
    """Return in words how *record*'s sender signs, and what a Flask and a FastAPI application need.

    The same as ``told`` and ``snippets``, laid out for a terminal.
    """
    lines = [
        textwrap.fill(
            text,
            WIDTH,
            initial_indent=f"{label:<{INDENT}}",
            subsequent_indent=" " * INDENT,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for label, text in told(record).items()
    ]
    blocks = [f"{title}\n\n{textwrap.indent(code, '    ')}" for title, code in snippets(record).items()]
    return "\n".join([record.name, "", *lines, "", "\n".join(blocks)]).rstrip()


def snippets(record: Provider) -> dict[str, str]:
    """Return a whole small application per framework."""
    proven = {"body": "webhook.json()", "fields": "webhook.fields"}.get(record.coverage, "webhook.coverage")
    public = record.algorithm in PUBLIC_ALGORITHMS
    variable = f"{record.name.upper()}_{'PUBLIC_KEY' if public else 'SECRET'}"
    given = f'{"public_keys=" if public else ""}os.environ["{variable}"]'
    more = f', public_url="https://example.com/hooks/{record.name}"' if record.signs_url else ""
    if record.expects:
        more += f", expect={dict.fromkeys(record.expects, '...')}"
    words = {"name": record.name, "record": record.name.upper(), "proven": proven, "given": given, "more": more}
    return {title: code.substitute(words) for title, code in SNIPPETS.items()}


def told(record: Provider) -> dict[str, str]:
    """Return what is to be known of *record*, by label."""
    return {label: text for label, text in _told(record).items() if text}


def _fits(record: Provider, words: Iterable[str]) -> bool:
    facts = (record.name, record.algorithm, record.evidence, record.coverage, record.scheme, record.handshake)
    return all(any(word in fact.lower() for fact in facts) for word in words)


def _told(record: Provider) -> dict[str, str]:
    token = record.algorithm == "token"
    spelling = "as it is" if record.encoding == "text" else record.encoding
    return {
        "signature": f"in {' or '.join(map(_in_words, record.places))}",
        "signed content": "nothing: whoever knows the secret shows it as it is" if token else _content(record),
        "algorithm": "a shared token, compared as it is" if token else record.algorithm.upper(),
        "encoding": f"{spelling}, behind {record.prefix!r}" if record.prefix else spelling,
        "key": _key(record),
        "coverage": f"{record.coverage}: {_COVERAGE[record.coverage]}",
        "timestamp": _timestamp(record),
        "event id": f"in {_in_words(record.id)}" if record.id else "none is signed",
        "unsigned": ", ".join(f"{name} in {_in_words(place)}" for name, place in record.unsigned.items()),
        "retries": f"over {_span(record.retries)}" if record.retries else "none known",
        "repeats": f"{record.repeats}: {_REPEATS[record.repeats]}",
        "refusal status": f"{record.refusal_status}{', without a body' if record.bare_refusals else ''}",
        "handshake": _handshake(record),
        "route needs": ", ".join(needs(record)),
        "quirks": record.quirks,
        "evidence": f"{record.evidence}: {EVIDENCE.get(record.evidence, '')}",
        "docs": record.docs,
    }


def _handshake(record: Provider) -> str:
    if not record.handshake:
        return "none known"
    _, parameters = named(record.handshake)
    shown = ", ".join(f"{name} {text}" for name, text in parameters.items())
    return f"{sentence(record.handshake)} {f'({shown}) ' if shown else ''}Only where the route says handshake=."


def _key(record: Provider) -> str:
    if record.algorithm not in PUBLIC_ALGORITHMS:
        return _KEYS.get(record.key_encoding, record.key_encoding)
    place = record.published
    if place is None:
        return "a public key of the sender, given as public_keys="
    where = place.url or (f"the address in {_in_words(place.named_by)}" if place.named_by else "")
    return f"a public key of the sender, given as public_keys= or else read from {where}"


def _content(record: Provider) -> str:
    if record.scheme:
        more = f" It must cover {', '.join(record.components)}." if record.components else ""
        words = (sys.modules[type(scheme(record.scheme)).__module__].__doc__ or "").split("\n\n")[0].split()
        return " ".join(words) + more
    template = record.template
    body = {
        "raw": ("body",),
        "sha256": ("body:sha256",),
        "sha256:raw": ("body:sha256:raw",),
        "crc32": ("body:crc32",),
    }.get(template.body, ())
    parts = [
        repr(part.decode("utf-8"))
        if isinstance(part, bytes)
        else _PARTS.get(part) or "the {} {}".format(*part.split("."))
        for part in (*template.before, *body, *template.after)
    ]
    return f"{record.signed}: {', '.join(parts)}"


def _timestamp(record: Provider) -> str:
    if record.timestamp is None:
        if record.every is not None:
            return f"the interval of {_span(record.every)} is signed, {record.neighbours} on either side count"
        if record.coverage == "body":
            return "none is signed, so only the memory of duplicates stops a replay"
        return "none is signed, so what was captured can be used again"
    where = f"in {_in_words(record.timestamp)}, {_UNITS.get(record.timestamp_unit, record.timestamp_unit)}"
    if record.max_age is None:
        return f"{where}; its age is not checked unless the route sets max_age"
    return f"{where}; at most {_span(record.max_age)} old and {_span(record.max_skew)} ahead"


def _span(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size and seconds % size == 0:
            return f"{seconds // size:g} {unit}"
    return f"{seconds:g} seconds"


def _in_words(place: Field) -> str:
    match place:
        case Header():
            part = f", in the part {place.part}{place.assign}..." if place.part is not None else ""
            return f"the header {' or '.join(place.names)}{part}{' (several may be sent)' if place.many else ''}"
        case Query():
            return f"the query parameter {place.name}"
        case JSONField():
            return f"the JSON field {'.'.join(place.path)}"
        case FormField():
            return f"the form field {place.name}"
        case Claim():
            return f"the signed {place.name}"


def _short(place: Field) -> str:
    match place:
        case Header():
            return place.names[0] if place.part is None else f"{place.names[0]} {place.part}{place.assign}"
        case Query():
            return f"?{place.name}"
        case JSONField():
            return f"body {'.'.join(place.path)}"
        case FormField():
            return f"body {place.name}"
        case Claim():
            return place.name


def _plain(fact: object) -> object:
    match fact:
        case Header() | Query() | JSONField() | FormField() | Claim():
            kind = _KINDS[type(fact)]
            settings = ("names", "part", "many", "separator", "assign", "path", "name")
            return {"in": kind} | {name: getattr(fact, name) for name in settings if hasattr(fact, name)}
        case tuple():
            return [_plain(one) for one in fact]
        case Published():
            return {name: _plain(getattr(fact, name)) for name in Published.__dataclass_fields__}
        case Mapping():
            return {str(name): _plain(one) for name, one in fact.items()}
    return fact


_UNITS: Final = {
    "s": "in unix seconds",
    "ms": "in unix milliseconds",
    "rfc3339": "as RFC 3339 text",
    "http": "as an HTTP date",
}
_KINDS: Final = {Header: "header", Query: "query", JSONField: "json", FormField: "form", Claim: "claim"}
_KEYS: Final = {
    "utf-8": "the secret's text as it was given, in UTF-8",
    "hex": "the bytes that the secret spells in hex",
    "base64": "the bytes that the secret spells in base64",
    "sha1": "the SHA-1 of the secret's text",
    "whsec": "the bytes that the secret spells in base64 behind whsec_ (which may be missing)",
}
_PARTS: Final = {
    "timestamp": "the timestamp",
    "id": "the event id",
    "method": "the method",
    "url": "the URL that the sender was given",
    "path": "the path",
    "query": "the query string",
    "interval": "the number of the interval",
    "body": "the raw body",
    "body:sha256": "the SHA-256 of the raw body in hex",
    "body:sha256:raw": "the SHA-256 of the raw body, its bytes",
    "url:decoded": "the URL that the sender was given, with some escapes undone",
    "body:crc32": "the CRC-32 of the raw body in decimal",
}
_COVERAGE: Final = {
    "body": "a valid signature vouches for every byte of the body",
    "fields": "a valid signature vouches for these fields and nothing else in the body",
    "weak": "the body is signed by a checksum that can be forged",
    "caller": "the caller is proven, nothing of what it says",
}
_REPEATS: Final = {
    "never": "an equal delivery is the same event again",
    "possible": "two events can look alike, so a delivery is remembered for a short time",
    "normal": "events look alike, so nothing is taken for a duplicate",
}
EVIDENCE: Final = {
    "sdk": "checked against the sender's own code",
    "published": "checked against a value that the sender published",
    "documentation": "read in the sender's documentation",
    "unconfirmed": "not confirmed by the sender",
}

SNIPPETS: Final = {
    "Flask": Template("""\
import os

from flask import Flask

from hooklatch.flask import Hooklatch, webhook
from hooklatch.providers import $record

latch = Hooklatch()


def create_app() -> Flask:
    app = Flask(__name__)
    routes = {"/hooks/$name": $record.chain($given$more)}
    latch.init_app(app, routes=routes, protect=["/hooks/*"])

    @app.post("/hooks/$name")
    def $name() -> tuple[str, int]:
        app.logger.info("%s: %s", webhook.provider, $proven)
        return "", 204

    return app
"""),
    "FastAPI": Template("""\
import os
from typing import Annotated

from fastapi import FastAPI

from hooklatch import Webhook
from hooklatch.asgi import WebhookMiddleware
from hooklatch.fastapi import verified
from hooklatch.providers import $record

app = FastAPI()
routes = {"/hooks/$name": $record.chain($given$more)}
app.add_middleware(WebhookMiddleware, routes=routes, protect=["/hooks/*"])


@app.post("/hooks/$name", status_code=204)
async def $name(webhook: Annotated[Webhook, verified($record)]) -> None:
    print(webhook.provider, $proven)
"""),
}
"""A whole small application per framework, ready to be run."""
