"""What a test needs to play any sender of the catalogue: a key of its own, and what the route must know."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

from Crypto.PublicKey import ECC, RSA

import samples
from hooklatch import Chain, Delivery, Provider, providers
from hooklatch.keys import PUBLIC_ALGORITHMS
from worlds import NOW

URL = "https://receiver.example/hook"
BODY = b'{"id":"evt_1","n":1}'
SECRET = "a secret of many bytes"
EXPECTED = {
    "TopicArn": "arn:aws:sns:us-east-1:123456789012:topic",
    "webhook_id": "4JH86294D6297924G",
    "aud": "https://receiver.example",
    "email": "push@project.iam.gserviceaccount.com",
}
BODIES: dict[str, bytes] = {
    "alipay": b"notify_id=1&trade_status=TRADE_SUCCESS&sign_type=RSA2",
    "aws_sns": b'{"Message":"hello","Timestamp":"2023-11-14T22:13:20.000Z"}',
    "travis": b"payload=%7B%22id%22%3A1%7D",
    "paddle_classic": b"alert_name=subscription_created&alert_id=7331&email=a%40b.example",
}
"""For the senders whose body must be of a certain form."""


def others() -> list[str]:
    """Return the names of the senders that ``samples`` does not play: public keys, tokens, signed components."""
    return sorted({*providers.names()} - {*samples.SIGNING})


@cache
def pair(algorithm: str, which: int) -> tuple[str, str]:
    """Return a private and a public key as PEM; *which* tells several apart."""
    key: Any
    if algorithm.startswith("rsa"):
        key = rsa_key(which)
    else:
        key = ECC.generate(curve="Ed25519" if algorithm == "ed25519" else "P-256")
    private, public = (
        one.export_key(format="PEM", **({"pkcs": 8} if algorithm.startswith("rsa") and one is key else {}))
        for one in (key, key.public_key())
    )
    return _text(private), _text(public)


@cache
def rsa_key(which: int) -> Any:
    return RSA.generate(2048)


def _text(exported: str | bytes) -> str:
    return exported if isinstance(exported, str) else exported.decode()


def public(record: Provider) -> bool:
    return record.algorithm in PUBLIC_ALGORITHMS


def expected(record: Provider) -> dict[str, str]:
    return {name: EXPECTED[name] for name in record.expects}


def chain_of(record: Provider, **options: Any) -> Chain:
    """Return a chain that trusts what ``sent`` signs with."""
    options = {"expect": expected(record), **options} if record.expects else options
    if not public(record):
        return record.chain(secret_of(record), **options)
    return record.chain(public_keys=options.pop("public_keys", pair(record.algorithm, 0)[1]), **options)


def secret_of(record: Provider) -> str:
    return base64.b64encode(SECRET.encode()).decode() if record.key_encoding in {"base64", "whsec"} else SECRET


def sent(record: Provider, body: bytes = b"", *, which: int = 0, **arguments: Any) -> Delivery:
    """Return a delivery as *record*'s sender makes it, signed with its own key or with another one."""
    secret = pair(record.algorithm, which)[0] if public(record) else secret_of(record) + "x" * which
    arguments = {"at": NOW, "url": URL, "expect": expected(record), **arguments}
    return record.sign(body or BODIES.get(record.name, BODY), secret=secret, **arguments)
