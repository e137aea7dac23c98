"""What each sender needs besides a secret to be imitated: a body it could send, and what its route must know."""

from __future__ import annotations

from typing import NamedTuple

from hooklatch import providers
from hooklatch.chain import Options
from hooklatch.keys import PUBLIC_ALGORITHMS

SECRET = "v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
WRITTEN = {
    "hex": "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",
    "base64": "YSBrZXkgb2YgdHdlbnR5LTQgYnl0ZXMu",
}
"""Secrets of senders that write theirs in a way of their own."""

BODIES = {
    "adyen": b'{"notificationItems":[{"NotificationRequestItem":{"pspReference":"1","eventCode":"REFUND"}}]}',
    "braintree": b"bt_payload=PG5vdGlmaWNhdGlvbi8%2B%0A",
    "mailgun": b'{"signature":{"token":"a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0"},"event-data":{"id":"1"}}',
    "mailgun_routes": b"token=a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0&subject=Hello",
    "mandrill": b"mandrill_events=%5B%5D",
    "mechanic": b"customer_id=7&note=hello",
    "midtrans": b'{"order_id":"1111","status_code":"200","gross_amount":"100000.00","transaction_status":"deny"}',
    "msgraph": b'{"value":[{"changeType":"created"}]}',
    "plivo": b"To=1&From=2",
    "speckle_before_2_12": b'{"payload":"{\\"a\\":1}"}',
    "stripe": b'{"id":"evt_1"}',
    "twilio": b"Body=Hello&From=%2B1",
}

OTHERS = frozenset({"aws_sns", "detached_jws", "http_signature", "jwt", "kong_hmac"})
"""Schemes whose senders ``key_samples`` plays."""

SIGNING = [
    name
    for name in providers.names()
    if (record := providers.provider(name)).algorithm not in PUBLIC_ALGORITHMS and record.scheme not in OTHERS
]
"""Senders that a shared secret is enough to imitate; ``key_samples`` plays the others."""


class Sample(NamedTuple):
    """One sender's needs."""

    secret: str
    url: str
    body: bytes
    options: Options


def sample(name: str) -> Sample:
    """Return what the sender called *name* needs."""
    record = providers.provider(name)
    url = f"/hooks/{name}"
    options: Options = {}
    if record.signs_url:
        url = f"https://example.com{url}"
        options["public_url"] = url
    if record.expects:
        options["expect"] = dict.fromkeys(record.expects, "...")
    return Sample(WRITTEN.get(record.key_encoding, SECRET), url, BODIES.get(name, b'{"text":"\xc3\xa9"}'), options)


def argv(name: str) -> list[str]:
    """Return the same as options of the command line."""
    needs = sample(name).options
    given = [f"public_url={needs['public_url']}"] if "public_url" in needs else []
    given += [f"expect.{key}={text}" for key, text in needs.get("expect", {}).items()]
    return ["--provider", name, *(word for one in given for word in ("--option", one))]
