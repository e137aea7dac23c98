"""A JSON Web Token (RFC 7519) in a header, which vouches for the caller, and by a digest among its claims for the body.

The record says which claims must be there (``claims``), which holds the body's SHA-256 (``body_claim``), and with
``Claim("iat")`` as the timestamp that the age is checked; the route says what else must be (``expect=``), such as the
audience. ``exp`` and ``nbf`` count wherever they stand, with the record's ``max_skew`` to either side.
"""

from __future__ import annotations

import hashlib
import math
from hmac import compare_digest
from typing import TYPE_CHECKING, Final

from hooklatch.documents import Decimal, Integer
from hooklatch.errors import (
    SignatureMismatch,
    TimestampExpired,
    TimestampInFuture,
    TimestampMalformed,
)
from hooklatch.fields import Claim
from hooklatch.jose import ALGORITHMS, Members, part, read_token
from hooklatch.schemes import Statement
from hooklatch.verifiers.event_id import well_formed
from hooklatch.verifiers.offers import encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hooklatch.documents import JSON
    from hooklatch.provider import Provider
    from hooklatch.schemes import Setting
    from hooklatch.signing import Draft
    from hooklatch.types import Coverage, Facts, Signer

LIFE: Final = 3600
"""Seconds for which a token is good that we sign."""


class _JWT:
    proves = frozenset({"timestamp", "id"})
    needs_url = False
    opens_body = False

    def coverage(self, record: Provider, /) -> Coverage:
        return "body" if record.body_claim else "caller"

    def look(self, setting: Setting, facts: Facts, /) -> None:
        facts.key_id = read_token(setting.record, facts.head).key_id

    def statements(self, setting: Setting, facts: Facts, /) -> Sequence[Statement]:
        record = setting.record
        token = read_token(record, facts.head)
        claims = Members(token.payload, "token")
        _demand(setting, claims)
        _judge_times(record.max_skew, claims, facts.head.received_at)
        if record.body_claim:
            digest = hashlib.sha256(facts.body).hexdigest()
            if not compare_digest(digest.encode(), (claims.text(record.body_claim) or "").encode("utf-8", "replace")):
                msg = "the token vouches for another body"
                raise SignatureMismatch(msg)
        if isinstance(record.timestamp, Claim):
            facts.timestamp = _moment(claims, record.timestamp.name)
        if isinstance(record.id, Claim):
            found = claims.text(record.id.name)
            facts.id = found if found and well_formed(found) else None
        named = [*record.claims, *record.expects]
        fields = {name: value for name in named if isinstance(value := claims.find(name), str)}
        content = f"{token.header}.{token.payload}".encode("ascii")
        return [Statement(content, [record.prefix + token.signature], fields)]

    def sign(self, setting: Setting, draft: Draft, key: Signer, /) -> None:
        record = setting.record
        now = int(draft.at)
        claims: dict[str, object] = {
            name: value[0] if isinstance(value, tuple) else value for name, value in record.claims.items()
        }
        claims |= setting.expect
        if record.timestamp is not None or "aud" in claims:
            claims |= {"iat": now, "exp": now + LIFE}
        if isinstance(record.id, Claim):
            claims[record.id.name] = draft.texts.get("id") or hashlib.sha256(draft.body).hexdigest()[:20]
        if record.body_claim:
            claims[record.body_claim] = hashlib.sha256(draft.body).hexdigest()
        content = f"{part({'alg': ALGORITHMS[record.algorithm], 'typ': 'JWT'})}.{part(claims)}"
        signature = encoded(key.sign(content.encode("ascii")), "base64url")
        draft.put(record.places[0], "signature", f"{record.prefix}{content}.{signature}")


def _demand(setting: Setting, claims: Members) -> None:
    for name, wanted in setting.record.claims.items():
        if not _is(claims.find(name), wanted if isinstance(wanted, tuple) else (wanted,)):
            msg = f"the token's {name} is not this sender's"
            raise SignatureMismatch(msg)
    for name, value in setting.expect.items():
        found = claims.find(name)
        if not any(_is(one, (value,)) for one in (found if isinstance(found, list) else [found])):
            msg = f"the token's {name} is not the expected one"
            raise SignatureMismatch(msg)


def _is(found: JSON, wanted: tuple[str | bool, ...]) -> bool:
    return any(type(found) is type(one) and found == one for one in wanted)


def _judge_times(leeway: float, claims: Members, now: float) -> None:
    expires = _moment(claims, "exp")
    if expires is not None and now >= expires + leeway:
        msg = "the token's exp has passed"
        raise TimestampExpired(msg)
    begins = _moment(claims, "nbf")
    if begins is not None and now < begins - leeway:
        msg = "the token's nbf has not come"
        raise TimestampInFuture(msg)


def _moment(claims: Members, name: str) -> float | None:
    found = claims.find(name)
    if found is None:
        return None
    value = float(found) if isinstance(found, Integer | Decimal) else math.nan
    if not 0 <= value < 1e12:  # noqa: PLR2004 - written so that a nan is refused; the year 33658
        msg = f"the token's {name} is no time"
        raise TimestampMalformed(msg)
    return value


SCHEME: Final = _JWT()
