"""Kong's hmac-auth, after an early draft of HTTP signatures: ``Authorization: hmac`` names the headers it covers.

The record says which it must cover (``components``); the body is covered only by way of the header ``digest``. The
request line is signed as HTTP/1.1, which is how senders write it whatever the last proxy speaks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hooklatch.errors import AlgorithmNotAllowed, ConfigError, HeaderDuplicated, SignatureMalformed, SignatureMissing
from hooklatch.fields import Header
from hooklatch.message_components import DIGESTS, demand, field, raw_path
from hooklatch.schemes import Statement
from hooklatch.schemes.http_signature import head_of
from hooklatch.verifiers.offers import Offers, encoded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hooklatch.provider import Provider
    from hooklatch.schemes import Setting
    from hooklatch.signing import Draft
    from hooklatch.types import Coverage, Facts, Head, Signer

DIGEST: Final = "digest"
LINE: Final = "request-line"
USER: Final = "hooklatch"
"""The name under which we sign, where the route expects none."""

_PART: Final = re.compile(r'([a-z]+)="([^"\\]*)"')
_PARTS: Final = {"username", "algorithm", "headers", "signature"}
_BASE64: Final = Offers("base64")


class _KongHMAC:
    proves = frozenset({"timestamp"})
    needs_url = False
    opens_body = False

    def coverage(self, record: Provider, /) -> Coverage:
        return "body" if DIGEST in record.components else "caller"

    def look(self, setting: Setting, facts: Facts, /) -> None:
        record = setting.record
        parts = _read(record, facts.head)
        if parts["algorithm"] != record.algorithm:
            msg = f"the signature names another algorithm than {record.algorithm}"
            raise AlgorithmNotAllowed(msg)
        names = _covered(parts)
        missing = [name for name in _demanded(record, facts.head) if name not in names]
        if missing or len(set(names)) < len(names):
            msg = f"the signature does not cover {', '.join(missing)}" if missing else "a header is covered twice"
            raise SignatureMalformed(msg)

    def statements(self, setting: Setting, facts: Facts, /) -> Sequence[Statement]:
        parts = _read(setting.record, facts.head)
        names = _covered(parts)
        if DIGEST in names:
            _demand_digest(facts.head.headers.all(DIGEST), facts.body)
        return [Statement(_content(names, facts.head), [setting.record.prefix + parts["signature"]])]

    def sign(self, setting: Setting, draft: Draft, key: Signer, /) -> None:
        record = setting.record
        if DIGEST in record.components:
            digest = encoded(DIGESTS["sha-256"](draft.body).digest(), "base64")
            draft.headers.setdefault(DIGEST, f"SHA-256={digest}")
        head = head_of(draft)
        names = _demanded(record, head)
        try:
            signature = encoded(key.sign(_content(names, head)), record.encoding)
        except SignatureMalformed as bad:
            msg = f"{record.name}: this request cannot be signed: {bad}"
            raise ConfigError(msg) from bad
        told = {"username": USER, "algorithm": record.algorithm, "headers": " ".join(names), "signature": signature}
        text = ", ".join(f'{name}="{value}"' for name, value in told.items())
        draft.put(record.places[0], "signature", f"{record.prefix}{text}")


def _read(record: Provider, head: Head) -> dict[str, str]:
    """Return the parts of the header; raise an ``Answer``."""
    (place,) = record.places
    lines = head.headers.all(place.names[0]) if isinstance(place, Header) else ()
    if len(lines) > 1:
        msg = f"the signature was sent {len(lines)} times"
        raise HeaderDuplicated(msg)
    if not lines or not lines[0].startswith(record.prefix):
        raise SignatureMissing
    pieces = [_PART.fullmatch(piece.strip(" \t")) for piece in lines[0].removeprefix(record.prefix).split(",")]
    found = {piece[1]: piece[2] for piece in pieces if piece is not None}
    if found.keys() != _PARTS or len(pieces) != len(_PARTS):
        msg = f"the signature has the parts {', '.join(sorted(_PARTS))}, each once"
        raise SignatureMalformed(msg)
    return found


def _covered(parts: Mapping[str, str]) -> list[str]:
    return parts["headers"].lower().split(" ")


def _demanded(record: Provider, head: Head) -> list[str]:
    """Return the headers that must be covered, and of those that tell the time the one that was sent."""
    place = record.timestamp
    names = [name for name in place.names if head.headers.all(name)] if isinstance(place, Header) else []
    return [*names, *(name for name in record.components if name not in names)]


def _content(names: Sequence[str], head: Head) -> bytes:
    query = f"?{head.query}" if head.query else ""
    line = f"{head.method} {raw_path(head)}{query} HTTP/1.1"
    return "\n".join(line if name == LINE else f"{name}: {field(name, head)}" for name in names).encode("latin-1")


def _demand_digest(lines: Sequence[str], body: bytes) -> None:
    """Demand that the ``Digest`` header (RFC 3230) in *lines* is the *body*'s; raise an ``Answer``."""
    name, _, text = (lines[0] if len(lines) == 1 else "").partition("=")
    if name.lower() not in DIGESTS:
        msg = f"the header digest must be there once, by one of {', '.join(DIGESTS)}"
        raise SignatureMalformed(msg)
    demand({name.lower(): _BASE64.decoded([text])[0]}, body)


SCHEME: Final = _KongHMAC()
