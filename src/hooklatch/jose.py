"""JSON Web Signatures (RFC 7515) in a header, as far as webhooks use them: compact, one signature, one algorithm.

The algorithm is the record's. What a token's header says can only refuse it: ``alg`` must name that algorithm, ``crit``
must be absent; ``jku``, ``jwk``, ``x5u`` and ``x5c``, by which a stranger would choose the key, are not read. No
library: content, signature and key go through the same verifier as every other sender's.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from hooklatch.documents import JSON, JSONDocument
from hooklatch.errors import AlgorithmNotAllowed, BodyMalformed, SignatureMalformed, SignatureMissing
from hooklatch.fields import Header, Query
from hooklatch.verifiers.offers import Offers, encoded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hooklatch.provider import Provider
    from hooklatch.types import Head

ALGORITHMS: Final = {
    "hmac-sha256": "HS256",
    "hmac-sha384": "HS384",
    "hmac-sha512": "HS512",
    "rsa-pkcs1v15-sha256": "RS256",
    "rsa-pkcs1v15-sha512": "RS512",
    "ecdsa-p256-sha256-p1363": "ES256",
    "ed25519": "EdDSA",
}
"""Our names, and those of RFC 7518, section 3.1, and RFC 8037."""

PARTS: Final = 3

_TEXT: Final = Offers("base64url")


class Token(NamedTuple):
    """A compact JWS: header, payload (empty where it is detached) and signature as they were sent, and the key's id."""

    header: str
    payload: str
    signature: str
    key_id: str


class Members:
    """The members of a JSON object, each of which occurs once."""

    def __init__(self, text: str, what: str) -> None:
        """*text*: base64url; *what* it is, for messages; raise ``SignatureMalformed``."""
        self._what = what
        (raw,) = _TEXT.decoded([text])
        try:
            self._document = JSONDocument(raw).bounded()
        except BodyMalformed as bad:
            raise self._bad from bad

    def find(self, name: str) -> JSON:
        """Return the member *name*, None where it is absent; raise ``SignatureMalformed`` where it occurs twice."""
        try:
            return self._document.find(name)
        except KeyError:
            return None
        except BodyMalformed as bad:
            raise self._bad from bad

    def text(self, name: str) -> str | None:
        """Return the text member *name*, None where it is absent; raise ``SignatureMalformed`` for what is no text."""
        found = self.find(name)
        if found is not None and type(found) is not str:
            raise self._bad
        return found

    @property
    def _bad(self) -> SignatureMalformed:
        return SignatureMalformed(f"the {self._what} is no strict JSON object, or a member of it is twofold or no text")


def read_token(record: Provider, head: Head) -> Token:
    """Return the token that *head* carries where *record* has its signature; raise an ``Answer``."""
    found = [text for place in record.places if isinstance(place, Header | Query) for text in place.read(head)]
    if not found:
        raise SignatureMissing
    text = found[0].removeprefix(record.prefix)
    parts = text.split(".")
    if len(found) > 1 or len(parts) != PARTS or not found[0].startswith(record.prefix):
        msg = f"there must be one token{f' behind {record.prefix!r}' if record.prefix else ''}, of three parts"
        raise SignatureMalformed(msg)
    header, payload, signature = parts
    members = Members(header, "token's header")
    named = members.text("alg")
    if named != ALGORITHMS[record.algorithm]:
        msg = f"the token names another algorithm than {ALGORITHMS[record.algorithm]}"
        raise AlgorithmNotAllowed(msg)
    if members.find("crit") is not None:
        msg = "the token's header has critical extensions, and none is understood"
        raise SignatureMalformed(msg)
    return Token(header, payload, signature, members.text("kid") or "")


def part(content: Mapping[str, object]) -> str:
    """Return *content* as a part of a token."""
    return encoded(json.dumps(content, separators=(",", ":")).encode(), "base64url")
