"""``hooklatch verify``: the verdict on a recorded request, by the same chain the middleware runs."""

from __future__ import annotations

import base64
import json
import re
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hooklatch.cli import UsageError, complain, options, read, secrets_in, shown
from hooklatch.errors import Acknowledged, Answer, Handshake
from hooklatch.handshakes import PENDING
from hooklatch.keys import PUBLIC_ALGORITHMS
from hooklatch.providers import provider

if TYPE_CHECKING:
    import argparse

    from hooklatch.types import Webhook

REFUSED: Final = 1
WIDTH: Final = 80
"""How much of one value the text line shows (characters)."""

PUBLIC: Final = (
    "provider", "coverage", "party", "timestamp", "age", "id", "fields", "items", "unsigned", "test", "key_index",
)  # fmt: skip

_METHOD: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,40}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``verify`` takes to *parser*."""
    options.add_arguments(parser)
    secrets_in.add_arguments(parser)
    parser.add_argument(
        "--public-key-file",
        action="append",
        default=[],
        metavar="FILE",
        help="a file that holds the public key of a sender that signs with a private one, as PEM, hex, base64 or a "
        "JSON Web Key Set; repeat it, newest first. Without it: the keys that the sender publishes, read over HTTPS",
    )
    parser.add_argument(
        "--now", type=options.moment, metavar="UNIX", help="the receiver's clock, in seconds; default: now"
    )
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    parser.add_argument(
        "request",
        metavar="REQUEST.JSON",
        help='{"method", "url", "headers": {..} or [[name, value], ..], "body" or "body_b64"}, or - for standard input',
    )


class Request(NamedTuple):
    """A recorded request, as ``Chain.verify`` takes it."""

    method: str
    url: str
    headers: list[tuple[str, str]]
    body: bytes


def run(arguments: argparse.Namespace) -> int:
    """Print the verdict and return 0 (accepted, diverted, answered) or 1 (refused).

    Raises ``UsageError`` or ``ConfigError``.
    """
    record, rules = options.apply(provider(arguments.provider), arguments.option)
    if "handshake" in rules and record.handshake.startswith("hook_secret"):
        # What it brings is looked at and dropped: here is no route that waits for it.
        rules["on_secret"] = len
        chain = record.chain(PENDING, **rules)
    elif record.algorithm in PUBLIC_ALGORITHMS:
        chain = record.chain(public_keys=secrets_in.public_keys(arguments.public_key_file), **rules)
    else:
        chain = record.chain(secrets_in.find(arguments.secret_file), **rules)
    request = parse(read(arguments.request))
    now = time.time() if arguments.now is None else arguments.now
    try:
        webhook = chain.verify(**request._asdict(), now=now)
    except Handshake as answer:
        _print_handshake(answer, as_json=arguments.json)
        return 0
    except Answer as answer:
        good = isinstance(answer, Acknowledged)
        verdict = "diverted" if good else "refused"
        line = f"{verdict}: {answer.reason} (status {answer.status})"
        _print(line, verdict, answer.status, answer.reason, None, as_json=arguments.json)
        if good:
            return 0
        complain(answer)
        return REFUSED
    _print(summary(webhook), "accepted", 200, "", webhook, as_json=arguments.json)
    return 0


def parse(raw: bytes) -> Request:
    """Return the request in the JSON text *raw*; raise ``UsageError``."""
    try:
        document = json.loads(raw.decode("utf-8"), object_pairs_hook=_once)
    except UsageError:
        raise
    except (ValueError, RecursionError) as bad:
        detail = f": {bad}" if isinstance(bad, json.JSONDecodeError) else ""
        msg = f"the request is no JSON{detail}"
        raise UsageError(msg) from bad
    if not isinstance(document, dict):
        msg = "the request must be a JSON object with headers and body"
        raise UsageError(msg)
    method = document.get("method", "POST")
    if not isinstance(method, str) or not _METHOD.fullmatch(method):
        msg = f"method {method!r} is no HTTP method"
        raise UsageError(msg)
    url = document.get("url", "/")
    return Request(
        method, options.address(url if isinstance(url, str) else repr(url)), _headers(document), _body(document)
    )


def summary(webhook: Webhook) -> str:
    """Return what is proven, as one line; a stranger's values are escaped and cut."""
    facts = [f"covers {webhook.coverage}", f"secret {webhook.key_index}"]
    facts += ["test traffic"] if webhook.test else []
    facts += [f"id {webhook.id}"] if webhook.id is not None else []
    if webhook.timestamp is not None:
        facts.append(f"timestamp {webhook.timestamp:.15g}, age {webhook.age:.3f} s")
    facts += [f"{name}={text!r}" for name, text in webhook.fields.items()]
    return f"accepted: {webhook.provider}, {', '.join(shown(fact, WIDTH) for fact in facts)}"


def _print(line: str, verdict: str, status: int, reason: str, webhook: Webhook | None, *, as_json: bool) -> None:
    if as_json:
        facts = None if webhook is None else {name: getattr(webhook, name) for name in PUBLIC}
        line = json.dumps({"verdict": verdict, "status": status, "reason": reason, "webhook": facts}, default=dict)
    print(line)


def _print_handshake(answer: Handshake, *, as_json: bool) -> None:
    """Print the whole answer that the route gives: status, header lines, body."""
    body = answer.body.decode("ascii")
    if as_json:
        facts = {"verdict": "answered", "status": answer.status, "reason": answer.reason, "webhook": None}
        print(json.dumps({**facts, "headers": answer.headers, "body": body}))
        return
    lines = [f"answered: {answer.reason} (status {answer.status})", *(f"{n}: {text}" for n, text in answer.headers)]
    print("\n".join([*map(shown, lines), "", shown(body)]).rstrip())


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    twice = sorted(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
    if twice:
        msg = f"the request names {', '.join(map(repr, twice))} twice; write repeated headers as [[name, value], ..]"
        raise UsageError(msg)
    return dict(pairs)


def _headers(document: dict[str, Any]) -> list[tuple[str, str]]:
    headers = document.get("headers")
    pairs = list(headers.items()) if isinstance(headers, dict) else headers
    good = isinstance(pairs, list) and all(
        isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(text, str) for text in pair)  # noqa: PLR2004
        for pair in pairs
    )
    if not good:
        msg = 'the request needs "headers": an object of texts, or a list of [name, value] pairs'
        raise UsageError(msg)
    return [(name, text) for name, text in pairs or ()]


def _body(document: dict[str, Any]) -> bytes:
    given = [name for name in ("body", "body_b64") if name in document]
    if len(given) != 1 or not isinstance(document[given[0]], str):
        msg = 'the request needs one of "body" (text) and "body_b64" (base64), and only one'
        raise UsageError(msg)
    text: str = document[given[0]]
    try:
        return text.encode("utf-8") if given == ["body"] else base64.b64decode(text, validate=True)
    except ValueError as bad:
        msg = f'"{given[0]}" is not {"UTF-8 text" if given == ["body"] else "base64"}'
        raise UsageError(msg) from bad
