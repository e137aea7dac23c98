"""The signature: which texts were offered, what bytes they are about, and whether one of the active keys made one.

Several offers and several keys are all tried. What the content is called under *every* active key goes into the
claim, so that a delivery stays known while secrets are added, reordered or dropped.
"""

from __future__ import annotations

import binascii
import hashlib
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from hooklatch.errors import (
    AlgorithmNotAllowed,
    BodyMalformed,
    ConfigError,
    SignatureMalformed,
    SignatureMismatch,
    SignatureMissing,
)
from hooklatch.fields import FormField, Header, JSONField, Query, agreed_kind, form_document, json_document
from hooklatch.template import fill, intervals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hooklatch.fields import BodyField, Field, HeadField
    from hooklatch.template import Template
    from hooklatch.types import ActiveKey, Check, Facts, Hash, Head

MAX_OFFERS: Final = 8
"""Signatures of the configured version that are looked at in one request."""

MAX_COSTLY: Final = 16
"""Public-key checks that one request may cause."""

ENCODINGS: Final = ("hex", "base64", "base64url", "text")


class Signature:
    """Reads the offered signatures from *places* and demands that one of them is right for the *template*'s content.

    *size*: bytes of one signature, 0 where it varies; *every*, *neighbours*: for ``{interval}``, seconds and how many
    intervals on either side count; *public_url*: for ``{url}``; *kinds*: the parsers that body fields may need.
    """

    proves = True
    __slots__ = (
        "_barred",
        "_body",
        "_encoding",
        "_every",
        "_head",
        "_headers",
        "_names",
        "_neighbours",
        "_prefix",
        "_size",
        "_url",
        "kinds",
        "template",
    )

    def __init__(
        self,
        places: Sequence[Field],
        template: Template,
        *,
        encoding: str,
        prefix: str = "",
        size: int = 0,
        every: float | None = None,
        neighbours: int = 1,
        public_url: str = "",
        kinds: tuple[type[BodyField], ...] = (),
    ) -> None:
        """Raise ``ConfigError`` for an unknown encoding, or no place."""
        if encoding not in ENCODINGS:
            msg = f"encoding={encoding!r} is unknown; known are {', '.join(ENCODINGS)}"
            raise ConfigError(msg)
        if not places:
            msg = "signature=: say where the signature stands, as in Header('x-signature')"
            raise ConfigError(msg)
        if len({isinstance(place, Header | Query) for place in places}) > 1:
            msg = "signature=: the places stand either in the head or in the body, not in both"
            raise ConfigError(msg)
        self.template = template
        self.kinds = kinds
        self._head: tuple[HeadField, ...] = tuple(p for p in places if isinstance(p, Header | Query))
        self._body: tuple[BodyField, ...] = tuple(p for p in places if isinstance(p, JSONField | FormField))
        self._encoding = encoding
        self._prefix = prefix
        self._size = size
        self._every = every
        self._neighbours = neighbours
        self._url = public_url
        self._barred = template.barred
        self._names = tuple(sorted(template.names - {"timestamp", "id", "interval", "body", "body:sha256"}))
        self._headers = {f"header.{name}": Header(name) for name in template.headers}
        if self._barred.get("url", "\0") in public_url:
            msg = f"signed={template.text!r}: public_url={public_url!r} contains the separator {self._barred['url']!r}"
            raise ConfigError(msg)

    @property
    def parses(self) -> bool:
        """Whether the body must be held and parsed before anything is proven."""
        return bool(self._body or self.template.fields)

    def open(self, head: Head, facts: Facts) -> Check:
        """Read what the head offers; refuse a request that offers nothing, or what cannot be a signature."""
        if self.parses:
            kind = agreed_kind(head, self.kinds)
            return _FieldsCheck(self, head, facts, [] if self._body else self._offered(head), kind)
        offers = self._offered(head)
        texts = facts.texts
        for name in self._names:
            texts[name] = self._text(name, head)
        return _StreamCheck(self, facts, offers)

    def _offered(self, head: Head) -> list[bytes]:
        offers = [text for place in self._head for text in place.read(head)]
        if not offers:
            for place in self._head:
                if isinstance(place, Header) and any(
                    line.strip(" \t") for n in place.names for line in head.headers.all(n)
                ):
                    msg = f"{place.names[0]} carries no {place.part!r}"
                    raise AlgorithmNotAllowed(msg)
            raise SignatureMissing
        return self.decoded(offers)

    def decoded(self, offers: list[str]) -> list[bytes]:
        """Return the offered texts as bytes, by strict grammar; raise ``SignatureMalformed``."""
        if len(offers) > MAX_OFFERS:
            msg = f"more than {MAX_OFFERS} signatures"
            raise SignatureMalformed(msg)
        return [self._decode(offer) for offer in offers]

    def _decode(self, offer: str) -> bytes:
        prefix = self._prefix
        if prefix:
            if not offer.startswith(prefix):
                if "=" in offer[:12]:
                    msg = f"the signature does not begin with {prefix!r}"
                    raise AlgorithmNotAllowed(msg)
                raise SignatureMalformed
            offer = offer[len(prefix) :]
        try:
            raw = _DECODERS[self._encoding](offer)
        except ValueError as bad:
            msg = f"the signature is not {self._encoding}"
            raise SignatureMalformed(msg) from bad
        if self._size and len(raw) != self._size:
            msg = f"the signature has {len(raw)} bytes instead of {self._size}"
            raise SignatureMalformed(msg)
        return raw

    def _text(self, name: str, head: Head) -> str:
        """Return the value of one of the template's names that the head tells; raise ``SignatureMalformed``."""
        match name:
            case "method":
                text = head.method
            case "query":
                text = head.query
            case "path":
                # Where the server hides the request line, the path is escaped again as senders do it.
                text = head.raw_path or quote(head.path, safe="/:@!$&'()*+,;=~-._")
            case "url":
                text = f"{self._url}?{head.query}" if head.query else self._url
            case _:
                values = self._headers[name].read(head)
                text = values[0] if values else ""
                if not text or not text.isprintable():
                    msg = f"the signed header {name.removeprefix('header.')} is absent or malformed"
                    raise SignatureMalformed(msg)
        if self._barred.get(name, "\0") in text:
            msg = f"{name} contains the separator of the signed content"
            raise SignatureMalformed(msg)
        return text

    def fields(self, facts: Facts, head: Head, kind: type[BodyField]) -> tuple[dict[str, str], list[bytes]]:
        """Return the body fields of the template, and the signatures offered in the body; raise ``BodyMalformed``."""
        if kind is JSONField:
            document = json_document(facts).bounded()
            values = {name: document.text(*name.split(".")) for name in self.template.fields}
            offers = [document.text(*place.path) for place in self._body if isinstance(place, JSONField)]
        else:
            form = form_document(facts)
            values = {name: form.text(name) for name in self.template.fields}
            offers = [form.text(place.name) for place in self._body if isinstance(place, FormField)]
        found = {name: value for name, value in values.items() if value is not None}
        if self._body and not any(offers):
            raise SignatureMissing
        if len(found) < len(values):
            msg = f"a signed field is absent: {', '.join(sorted(values.keys() - found.keys()))}"
            raise BodyMalformed(msg)
        for name, value in found.items():
            if self._barred.get(f"field.{name}", "\0") in value:
                msg = f"{name} contains the separator of the signed content"
                raise BodyMalformed(msg)
            facts.texts[f"field.{name}"] = value
        for name in self._names:
            if not name.startswith("field."):
                facts.texts[name] = self._text(name, head)
        return found, self.decoded([offer for offer in offers if offer])

    def variants(self, facts: Facts) -> list[dict[str, str]]:
        """Return the texts of every signed content that counts: one, or one per tolerated interval."""
        if self._every is None:
            return [facts.texts]
        numbers = intervals(facts.head.received_at, every=self._every, neighbours=self._neighbours)
        return [{**facts.texts, "interval": number} for number in numbers]


class _StreamCheck:
    """Feeds the body to a hash per key while it arrives."""

    __slots__ = ("_body_hash", "_facts", "_offers", "_running", "_variants", "_verifier")

    def __init__(self, verifier: Signature, facts: Facts, offers: list[bytes]) -> None:
        self._verifier = verifier
        self._facts = facts
        self._offers = offers
        self._running: list[list[Hash]] = []
        self._variants: list[dict[str, str]] = []
        self._body_hash = hashlib.sha256() if verifier.template.body == "sha256" else None

    def _begin(self) -> None:
        # The keys are known only after every rule has seen the head: a source is asked for nothing that is malformed.
        self._variants = self._verifier.variants(self._facts)
        before = self._verifier.template.before
        for texts in self._variants:
            prefix = fill(before, texts) if before else b""
            hashes = [active.key.start() for active in self._facts.keys]
            if prefix:
                for running in hashes:
                    running.update(prefix)
            self._running.append(hashes)

    def update(self, chunk: bytes) -> None:
        if not self._running:
            self._begin()
        if self._body_hash is not None:
            self._body_hash.update(chunk)
        elif self._verifier.template.body:
            for hashes in self._running:
                for running in hashes:
                    running.update(chunk)

    def finish(self, facts: Facts) -> None:
        if not self._running:
            self._begin()
        template = self._verifier.template
        for texts, hashes in zip(self._variants, self._running, strict=True):
            middle = b"" if self._body_hash is None else self._body_hash.hexdigest().encode("ascii")
            tail = middle + fill(template.after, texts) if template.after else middle
            if tail:
                for running in hashes:
                    running.update(tail)
            if _matched(facts, hashes, self._offers, len(self._variants)):
                return
        raise SignatureMismatch


class _FieldsCheck:
    """Waits for the whole body: the signature, or what it covers, are fields of it."""

    __slots__ = ("_facts", "_head", "_kind", "_offers", "_verifier")

    def __init__(
        self, verifier: Signature, head: Head, facts: Facts, offers: list[bytes], kind: type[BodyField]
    ) -> None:
        self._verifier = verifier
        self._head = head
        self._facts = facts
        self._offers = offers
        self._kind = kind

    def update(self, chunk: bytes) -> None:
        """Do nothing: the flow holds the body for chains that parse."""

    def finish(self, facts: Facts) -> None:
        fields, offered = self._verifier.fields(facts, self._head, self._kind)
        template = self._verifier.template
        variants = self._verifier.variants(facts)
        for texts in variants:
            # A record that names fields never covers the body besides, so the filled text is all there is.
            content = fill(template.before, texts)
            hashes = [active.key.start() for active in facts.keys]
            for running in hashes:
                running.update(content)
            if _matched(facts, hashes, [*self._offers, *offered], len(variants)):
                facts.fields = fields
                return
        raise SignatureMismatch


def _matched(facts: Facts, hashes: list[Hash], offers: list[bytes], variants: int) -> bool:
    """Return whether a key made one of the *offers*; if so, note which, and the content's name under every key.

    *variants*: how many signed contents of this request are tried in all.
    """
    keys: Sequence[ActiveKey] = facts.keys
    if keys[0].key.costly and len(keys) * len(offers) * variants > MAX_COSTLY:
        msg = f"{len(offers)} signatures for {len(keys)} public keys and {variants} signed contents"
        raise SignatureMalformed(msg)
    digests = [active.key.digest(running) for active, running in zip(keys, hashes, strict=True)]
    for active, digest in zip(keys, digests, strict=True):
        if active.key.accepts(digest, offers):
            facts.key_index = active.place
            facts.test = active.test
            facts.names = tuple([a.key.name(d) for a, d in zip(keys, digests, strict=True)])
            return True
    return False


def _hex(text: str) -> bytes:
    raw = bytes.fromhex(text)
    if len(raw) * 2 != len(text):
        msg = "blanks in hex"
        raise ValueError(msg)
    return raw


def _base64(text: str) -> bytes:
    raw = binascii.a2b_base64(text, strict_mode=True)
    # Strict mode lets stray bits in the last character pass, which would give one signature several spellings.
    if binascii.b2a_base64(raw, newline=False) != text.encode("ascii"):
        msg = "not canonical"
        raise ValueError(msg)
    return raw


def _base64url(text: str) -> bytes:
    if "+" in text or "/" in text:
        msg = "the alphabet of base64url has - and _"
        raise ValueError(msg)
    bare = text.rstrip("=")
    full = bare + "=" * (-len(bare) % 4)
    if text not in {bare, full}:
        msg = "wrong padding"
        raise ValueError(msg)
    return _base64(full.replace("-", "+").replace("_", "/"))


def _text(text: str) -> bytes:
    return text.encode("latin-1")


_DECODERS: Final = {"hex": _hex, "base64": _base64, "base64url": _base64url, "text": _text}


def encoded(raw: bytes, encoding: str) -> str:
    """Return *raw* as text in *encoding* (one of ``ENCODINGS``), as a sender writes it."""
    match encoding:
        case "hex":
            return raw.hex()
        case "base64":
            return binascii.b2a_base64(raw, newline=False).decode("ascii")
        case "base64url":
            return binascii.b2a_base64(raw, newline=False).decode("ascii").rstrip("=").translate(_TO_URL)
    return raw.decode("latin-1")


_TO_URL: Final = str.maketrans("+/", "-_")
