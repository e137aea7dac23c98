"""``hooklatch sign``: the delivery a sender would make, as HTTP-like text, as JSON for ``verify``, or for curl."""

from __future__ import annotations

import base64
import json
import re
import shlex
import sys
import time
from typing import TYPE_CHECKING, Final

from hooklatch.cli import UsageError, options, read, secrets_in
from hooklatch.keys import PUBLIC_ALGORITHMS
from hooklatch.providers import provider

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from hooklatch.provider import Provider
    from hooklatch.types import Delivery

LOCAL: Final = "http://127.0.0.1:8000"
"""Where ``--curl`` sends what has no host."""

_LINE: Final = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)")
_METHOD: Final = re.compile(r"[A-Z]{1,20}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``sign`` takes to *parser*."""
    options.add_arguments(parser)
    secrets_in.add_arguments(parser)
    parser.add_argument("--id", help="the event id, where the sender signs one")
    parser.add_argument("--at", type=options.moment, metavar="UNIX", help="when it is signed, in seconds; default: now")
    parser.add_argument("--method", default="POST", help="default: POST")
    parser.add_argument("--url", default="/", help=f"default: /, which --curl takes to be at {LOCAL}")
    parser.add_argument(
        "--header", action="append", default=[], metavar="'NAME: VALUE'", help="a further header; may be repeated"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the request as the JSON that 'hooklatch verify' reads")
    form.add_argument("--curl", action="store_true", help="print a shell command that sends exactly these bytes")
    parser.add_argument("body", metavar="BODYFILE", help="the body's bytes, or - for standard input")


def run(arguments: argparse.Namespace) -> int:
    """Print the delivery and return 0; raise ``UsageError`` or ``ConfigError``."""
    record, rules = options.apply(provider(arguments.provider), arguments.option)
    _check(record, arguments)
    headers = _headers(arguments.header)
    url = options.address(arguments.url)
    public = record.algorithm in PUBLIC_ALGORITHMS
    newest = secrets_in.private_key(arguments.secret_file) if public else secrets_in.find(arguments.secret_file)[0]
    at = time.time() if arguments.at is None else arguments.at
    delivery = record.sign(
        read(arguments.body),
        secret=newest,
        id=arguments.id,
        at=at,
        method=arguments.method,
        url=url,
        headers=headers,
        expect=rules.get("expect"),
    )
    for name, text in delivery.headers.items():
        if not _LINE.fullmatch(f"{name}:{text}"):
            msg = f"{record.name}: what it puts into the header {name} cannot be sent; check encoding= and the id"
            raise UsageError(msg)
    if arguments.json:
        print(json.dumps(as_json(delivery), indent=2))
    elif arguments.curl:
        print(as_curl(delivery))
    else:
        _print_bytes(as_http(delivery))
    return 0


def as_json(delivery: Delivery) -> dict[str, object]:
    """Return *delivery* as the request object ``verify`` reads; the body in base64 where it is not UTF-8."""
    request: dict[str, object] = {"method": delivery.method, "url": delivery.url, "headers": delivery.headers}
    try:
        request["body"] = delivery.body.decode("utf-8")
    except UnicodeDecodeError:
        request["body_b64"] = base64.b64encode(delivery.body).decode("ascii")
    return request


def as_http(delivery: Delivery) -> bytes:
    """Return request line, headers, a blank line, and the body's exact bytes."""
    lines = [f"{delivery.method} {delivery.url} HTTP/1.1", *(f"{name}: {v}" for name, v in delivery.headers.items())]
    return "".join(f"{line}\n" for line in [*lines, ""]).encode("latin-1") + delivery.body


def as_curl(delivery: Delivery) -> str:
    """Return a shell command; the body travels in base64, which no shell, locale or line end can change."""
    url = delivery.url if delivery.url.startswith("http") else LOCAL + delivery.url
    # Left to itself curl calls the body a form; a name with a colon and no value takes that line away.
    lines = [] if "content-type" in delivery.headers else ["content-type:"]
    lines += [f"{name}: {text}" if text else f"{name};" for name, text in delivery.headers.items()]
    if not "".join(lines).isascii():
        msg = "a header is not ASCII, and a terminal would send it in another encoding; use --json"
        raise UsageError(msg)
    words = ["curl", "--globoff", "--path-as-is", "--request", delivery.method, "--data-binary", "@-"]
    words += [word for line in lines for word in ("--header", line)]
    body = base64.b64encode(delivery.body).decode("ascii")
    return f"printf %s {shlex.quote(body)} | base64 -d | {shlex.join([*words, url])}"


def _print_bytes(raw: bytes) -> None:
    binary = getattr(sys.stdout, "buffer", None)
    if binary is None:
        print(raw.decode("utf-8", "backslashreplace"), end="")
        return
    sys.stdout.flush()
    binary.write(raw)


def _check(record: Provider, arguments: argparse.Namespace) -> None:
    if not _METHOD.fullmatch(arguments.method):
        msg = f"--method {arguments.method!r}: write it in upper case, as in POST"
        raise UsageError(msg)
    if arguments.id is not None and record.id is None:
        msg = f"{record.name} signs no event id, so --id has no place"
        raise UsageError(msg)
    if arguments.id is not None and not (arguments.id.isascii() and arguments.id.isprintable() and arguments.id):
        msg = f"--id {arguments.id!r}: an event id is printable ASCII"
        raise UsageError(msg)


def _headers(given: Iterable[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in given:
        match = _LINE.fullmatch(line)
        if match is None:
            msg = f"--header {line!r}: write 'Name: value', on one line"
            raise UsageError(msg)
        name, text = match[1].lower(), match[2].rstrip(" \t")
        if name in headers:
            msg = f"--header {name}: given twice"
            raise UsageError(msg)
        headers[name] = text
    return headers
