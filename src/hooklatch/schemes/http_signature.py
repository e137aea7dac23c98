"""HTTP Message Signatures (RFC 9421): the signature names the components it covers, the record those it must cover.

The body is covered only by way of ``content-digest`` (RFC 9530), which is computed again wherever it is covered; so
``coverage`` is ``body`` if the record demands that component, and ``caller`` if not. Of several signatures the record
may name one (``label``). ``Claim("created")`` and ``Claim("nonce")`` are parameters of the signature, ``expires``
counts wherever it stands; ``expects=("tag",)`` or ``("keyid",)`` lets a route demand these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hooklatch.errors import (
    AlgorithmNotAllowed,
    ConfigError,
    HeaderDuplicated,
    SignatureMalformed,
    SignatureMismatch,
    SignatureMissing,
    TimestampExpired,
    TimestampMalformed,
)
from hooklatch.fields import Claim, Header
from hooklatch.lines import byte_lines
from hooklatch.message_components import DIGESTS, component, demand_digest
from hooklatch.schemes import Statement
from hooklatch.structured_fields import InnerList, Item, Token, dictionary, written
from hooklatch.types import Head
from hooklatch.verifiers.event_id import well_formed
from hooklatch.verifiers.offers import encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hooklatch.provider import Provider
    from hooklatch.schemes import Setting
    from hooklatch.signing import Draft
    from hooklatch.types import Coverage, Facts, Signer

ALGORITHMS: Final = {
    "hmac-sha256": "hmac-sha256",
    "ed25519": "ed25519",
    "ecdsa-p256-sha256-p1363": "ecdsa-p256-sha256",
    "rsa-pss-sha512": "rsa-pss-sha512",
    "rsa-pkcs1v15-sha256": "rsa-v1_5-sha256",
}
"""Our names, and those of RFC 9421, section 6.2.2."""

DIGEST: Final = "content-digest"
INPUT: Final = "signature-input"


class _HTTPSignature:
    proves = frozenset({"timestamp", "id"})
    needs_url = False
    opens_body = False

    def coverage(self, record: Provider, /) -> Coverage:
        return "body" if DIGEST in record.components else "caller"

    def look(self, setting: Setting, facts: Facts, /) -> None:
        record = setting.record
        covered, _ = _read(record, facts.head)
        names = [_name(item) for item in covered.items]
        missing = [name for name in _demanded(record, facts.head) if name not in names]
        if missing:
            msg = f"the signature does not cover {', '.join(missing)}"
            raise SignatureMalformed(msg)
        if len(set(names)) < len(names):
            msg = "a component is covered twice"
            raise SignatureMalformed(msg)
        named = covered.params.get("alg")
        if named is not None and named != ALGORITHMS[record.algorithm]:
            msg = f"the signature names another algorithm than {ALGORITHMS[record.algorithm]}"
            raise AlgorithmNotAllowed(msg)
        for name, value in setting.expect.items():
            if covered.params.get(name) != value:
                msg = f"the signature's {name} is not the expected one"
                raise SignatureMismatch(msg)
        expires = _moment(covered, "expires")
        if expires is not None and facts.head.received_at > expires:
            msg = "the signature's expires has passed"
            raise TimestampExpired(msg)
        if isinstance(record.timestamp, Claim):
            facts.timestamp = _moment(covered, record.timestamp.name)
        facts.key_id = _text(covered, "keyid")
        if isinstance(record.id, Claim):
            found = _text(covered, record.id.name)
            facts.id = found if well_formed(found) else None

    def statements(self, setting: Setting, facts: Facts, /) -> Sequence[Statement]:
        covered, signature = _read(setting.record, facts.head)
        if DIGEST in [item.value for item in covered.items]:
            demand_digest(facts.head.headers.all(DIGEST), facts.body)
        content = _content(covered, facts.head, setting.public_url)
        return [Statement(content, [encoded(signature, setting.record.encoding)])]

    def sign(self, setting: Setting, draft: Draft, key: Signer, /) -> None:
        record = setting.record
        if DIGEST in record.components:
            draft.headers.setdefault(DIGEST, f"sha-256={written(DIGESTS['sha-256'](draft.body).digest())}")
        params: dict[str, int | str] = {"created": int(draft.at)}
        if isinstance(record.id, Claim):
            params[record.id.name] = draft.texts.get("id") or DIGESTS["sha-256"](draft.body).hexdigest()[:32]
        params |= {"alg": ALGORITHMS[record.algorithm], **setting.expect}
        head = head_of(draft)
        names = dict.fromkeys(_demanded(record, head))
        covered = InnerList(tuple(Item(name, {}) for name in names), params)
        label = record.label or "sig1"
        try:
            draft.headers[INPUT] = f"{label}={covered}"
            content = _content(covered, head, setting.public_url)
        except (SignatureMalformed, ValueError) as bad:
            msg = f"{record.name}: this request cannot be signed: {bad}"
            raise ConfigError(msg) from bad
        draft.put(record.places[0], "signature", f"{label}={written(key.sign(content))}")


def _read(record: Provider, head: Head) -> tuple[InnerList, bytes]:
    """Return what the signature covers, and the signature; raise an ``Answer``."""
    place = record.places[0]
    signatures = _dictionary(place.names[0] if isinstance(place, Header) else "signature", head)
    inputs = _dictionary(INPUT, head)
    labels = [record.label] if record.label else list(inputs)
    if len(labels) != 1:
        msg = f"{len(labels)} signatures; name the one that counts with label="
        raise SignatureMalformed(msg)
    covered, signature = inputs.get(labels[0]), signatures.get(labels[0])
    if covered is None or signature is None:
        raise SignatureMissing
    if not isinstance(covered, InnerList) or not isinstance(signature, Item) or not isinstance(signature.value, bytes):
        msg = "signature-input is a list of components, and signature is bytes"
        raise SignatureMalformed(msg)
    return covered, signature.value


def _dictionary(name: str, head: Head) -> dict[str, Item | InnerList]:
    lines = head.headers.all(name)
    if len(lines) > 1:
        msg = f"{name} was sent {len(lines)} times"
        raise HeaderDuplicated(msg)
    if not lines or not lines[0].strip(" \t"):
        raise SignatureMissing
    try:
        return dictionary(lines[0])
    except ValueError as bad:
        msg = f"{name} is no dictionary of RFC 9651: {bad}"
        raise SignatureMalformed(msg) from bad


def _demanded(record: Provider, head: Head) -> list[str]:
    """Return the components that must be covered; a header from which the time is taken is one of them."""
    names = list(record.components)
    if isinstance(record.timestamp, Header):
        names += [name for name in record.timestamp.names if head.headers.all(name) and name not in names]
    return names


def _name(item: Item) -> str:
    """Return how a record writes the component: without quotes, its parameters behind it."""
    if not isinstance(item.value, str) or isinstance(item.value, Token):
        msg = "a component's name is a string"
        raise SignatureMalformed(msg)
    return item.value + str(item).removeprefix(written(item.value))


def _content(covered: InnerList, head: Head, public_url: str) -> bytes:
    """Return the signature base (RFC 9421, section 2.5)."""
    lines = [f"{item}: {component(item, head, public_url)}" for item in covered.items]
    return "\n".join([*lines, f'"@signature-params": {covered}']).encode("latin-1")


def _moment(covered: InnerList, name: str) -> float | None:
    found = covered.params.get(name)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int) or found < 0:
        msg = f"the signature's {name} is no time"
        raise TimestampMalformed(msg)
    return float(found)


def _text(covered: InnerList, name: str) -> str:
    found = covered.params.get(name, "")
    if not isinstance(found, str):
        msg = f"the signature's {name} is no text"
        raise SignatureMalformed(msg)
    return found


def head_of(draft: Draft) -> Head:
    """Return the head of *draft*, as a receiver would see it."""
    url = draft.url.partition("://")[2].partition("/") if "://" in draft.url else ("", "", draft.url.lstrip("/"))
    path, _, query = f"/{url[2]}".partition("?")
    headers = {"host": url[0], **draft.headers} if url[0] else draft.headers
    return Head(draft.method, path, query, byte_lines(headers), draft.at, target=path)


SCHEME: Final = _HTTPSignature()
