"""Deliveries nobody has seen before, signed in the schemes that are compared."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET: Final = "whsec_" + base64.b64encode(hashlib.sha256(b"the secret of the benchmark").digest()).decode()
PATH: Final = "/hooks/sender"

_KEY: Final = base64.b64decode(SECRET.removeprefix("whsec_"))
_TEXT: Final = SECRET.encode()


class Scheme(NamedTuple):
    """How a delivery is signed, and which headers a check needs."""

    names: tuple[str, ...]
    sign: Callable[[bytes], dict[str, str]]


class Sent(NamedTuple):
    """One signed request."""

    headers: dict[str, str]
    body: bytes


@cache
def _rest(size: int) -> bytes:
    """Return what follows the id in a JSON body of *size* bytes: an event with as many small objects as fit."""
    item = {"id": "li_1QABCDEFGHIJKLMNOP", "amount": 1234, "currency": "eur", "description": "one line of an order"}
    count = max((size - 200) // (len(json.dumps(item)) + 1), 0)
    event: dict[str, Any] = {"object": "event", "type": "invoice.paid", "data": {"object": {"lines": [item] * count}}}
    return ("," + json.dumps(event, separators=(",", ":"))[1:]).encode().ljust(size - 32)


def body_of(size: int) -> bytes:
    """Return a JSON object of *size* bytes that begins with an id of its own."""
    return b"".join((b'{"id":"evt_', os.urandom(10).hex().encode(), b'"', _rest(size)))


def _tag(key: bytes, *parts: bytes) -> bytes:
    running = hmac.new(key, digestmod="sha256")
    for part in parts:
        running.update(part)
    return running.digest()


def _timed(body: bytes) -> dict[str, str]:
    now = int(time.time())
    return {"stripe-signature": f"t={now},v1={_tag(_TEXT, b'%d.' % now, body).hex()}"}


def _standard(body: bytes) -> dict[str, str]:
    now, name = int(time.time()), f"msg_{os.urandom(12).hex()}"
    tag = base64.b64encode(_tag(_KEY, f"{name}.{now}.".encode(), body)).decode()
    return {"webhook-id": name, "webhook-timestamp": str(now), "webhook-signature": f"v1,{tag}"}


def _slack(body: bytes) -> dict[str, str]:
    now = int(time.time())
    return {
        "x-slack-request-timestamp": str(now),
        "x-slack-signature": f"v0={_tag(_TEXT, b'v0:%d:' % now, body).hex()}",
    }


def _github(body: bytes) -> dict[str, str]:
    return {"x-hub-signature-256": f"sha256={_tag(_TEXT, body).hex()}"}


TIMED: Final = Scheme(("stripe-signature",), _timed)
STANDARD: Final = Scheme(("webhook-id", "webhook-timestamp", "webhook-signature"), _standard)
SLACK: Final = Scheme(("x-slack-request-timestamp", "x-slack-signature"), _slack)
GITHUB: Final = Scheme(("x-hub-signature-256",), _github)
NOBODY: Final = Scheme((), lambda _body: {})


def deliver(scheme: Scheme, size: int) -> Sent:
    """Return a delivery with the headers a server would hand on."""
    body = body_of(size)
    common = {
        "host": "hooks.example",
        "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "accept": "*/*; q=0.5, application/xml",
        "content-type": "application/json; charset=utf-8",
        "content-length": str(len(body)),
    }
    return Sent({**common, **scheme.sign(body)}, body)
