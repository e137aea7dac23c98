"""A JSON Web Signature (RFC 7515, appendix F) in a header whose payload, left out there, is the body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hooklatch.errors import SignatureMalformed
from hooklatch.jose import ALGORITHMS, part, read_token
from hooklatch.schemes import Statement
from hooklatch.verifiers.offers import encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hooklatch.provider import Provider
    from hooklatch.schemes import Setting
    from hooklatch.signing import Draft
    from hooklatch.types import Coverage, Facts, Signer


class _DetachedJWS:
    proves: frozenset[str] = frozenset()
    needs_url = False
    opens_body = False

    def coverage(self, record: Provider, /) -> Coverage:  # noqa: ARG002
        return "body"

    def look(self, setting: Setting, facts: Facts, /) -> None:
        token = read_token(setting.record, facts.head)
        if token.payload:
            msg = "the token has a payload of its own, and the body is what must be signed"
            raise SignatureMalformed(msg)
        facts.key_id = token.key_id

    def statements(self, setting: Setting, facts: Facts, /) -> Sequence[Statement]:
        token = read_token(setting.record, facts.head)
        return [Statement(_content(token.header, facts.body), [setting.record.prefix + token.signature])]

    def sign(self, setting: Setting, draft: Draft, key: Signer, /) -> None:
        record = setting.record
        header = part({"alg": ALGORITHMS[record.algorithm]})
        signature = encoded(key.sign(_content(header, draft.body)), "base64url")
        draft.put(record.places[0], "signature", f"{record.prefix}{header}..{signature}")


def _content(header: str, body: bytes) -> bytes:
    return f"{header}.{encoded(body, 'base64url')}".encode("ascii")


SCHEME: Final = _DetachedJWS()
