"""The signature by a template: which texts were offered, and what bytes they are about. ``proof`` has the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from hooklatch.errors import (
    AlgorithmNotAllowed,
    BodyMalformed,
    ConfigError,
    SignatureMalformed,
    SignatureMissing,
)
from hooklatch.fields import FormField, Header, JSONField, Query, agreed_kind, form_document, json_document
from hooklatch.template import URLS, body_text, decoded, fill, intervals
from hooklatch.types import NO_FIELDS
from hooklatch.verifiers.proof import judge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hooklatch.fields import BodyField, Field, HeadField
    from hooklatch.template import Template
    from hooklatch.types import Check, Facts, Hash, Head
    from hooklatch.verifiers.offers import Offers


class Signature:
    """Reads the offered signatures from *places* and demands that one of them is right for the *template*'s content.

    *offers*: how signatures are written; *every*, *neighbours*: for ``{interval}``, seconds and how many
    intervals on either side count; *public_url*: for ``{url}``; *expect*: for ``{expect.NAME}``; *kinds*: the parsers
    that body fields may need.
    """

    proves = True
    __slots__ = (
        "_barred",
        "_body",
        "_every",
        "_expected",
        "_head",
        "_headers",
        "_names",
        "_neighbours",
        "_url",
        "kinds",
        "offers",
        "parses",
        "plain",
        "template",
    )

    def __init__(
        self,
        places: Sequence[Field],
        template: Template,
        offers: Offers,
        *,
        every: float | None = None,
        neighbours: int = 1,
        public_url: str = "",
        expect: Mapping[str, str] = NO_FIELDS,
        kinds: tuple[type[BodyField], ...] = (),
    ) -> None:
        """Raise ``ConfigError`` for no place, or places in the head and in the body."""
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
        self.offers = offers
        self._every = every
        self._neighbours = neighbours
        self._url = public_url
        self._barred = template.barred
        self._expected = {f"expect.{name}": expect[name] for name in template.expects}
        self._names = tuple(sorted(template.names & _OF_THE_HEAD | {f"header.{name}" for name in template.headers}))
        self._headers = {f"header.{name}": Header(name) for name in template.headers}
        self.parses = bool(self._body or template.fields)
        """Whether the body must be held and parsed before anything is proven."""
        plain = template.body == "raw" and not (template.fields or self._names or self._expected or every)
        self.plain = self._head[0] if plain and len(self._head) == 1 else None
        """Where the one signature stands, if it is of the body as it is, and besides of an id and a time at most."""
        fixed = {**dict.fromkeys(URLS & template.names, public_url), **self._expected}
        for name, text in fixed.items():
            if self._barred.get(name, "\0") in text:
                msg = f"signed={template.text!r}: {name}={text!r} contains the separator {self._barred[name]!r}"
                raise ConfigError(msg)

    def open(self, head: Head, facts: Facts) -> Check:
        """Read what the head offers; refuse a request that offers nothing, or what cannot be a signature."""
        if self._expected:
            facts.texts.update(self._expected)
        if self.parses:
            kind = agreed_kind(head, self.kinds)
            return _FieldsCheck(self, head, facts, [] if self._body else self._offered(head), kind)
        offers = self._offered(head)
        for name in self._names:
            facts.texts[name] = self._text(name, head)
        return _StreamCheck(self, facts, offers)

    def _offered(self, head: Head) -> list[bytes]:
        first, *others = self._head
        offers = first.read(head)
        if others:
            offers = [*offers, *(text for place in others for text in place.read(head))]
        if not offers:
            for place in self._head:
                if isinstance(place, Header) and any(
                    line.strip(" \t") for n in place.names for line in head.headers.all(n)
                ):
                    msg = f"{place.names[0]} carries no {place.part!r}"
                    raise AlgorithmNotAllowed(msg)
            raise SignatureMissing
        return self.offers.decoded(offers)

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
            case "url" | "url:decoded":
                text = f"{self._url}?{head.query}" if head.query else self._url
                if name == "url:decoded":
                    text = decoded(text)
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
            facts.texts[name] = self._text(name, head)
        return found, self.offers.decoded([offer for offer in offers if offer])

    def variants(self, facts: Facts) -> list[dict[str, str]]:
        """Return the texts of every signed content that counts: one, or one per tolerated interval."""
        if self._every is None:
            return [facts.texts]
        numbers = intervals(facts.head.received_at, every=self._every, neighbours=self._neighbours)
        return [{**facts.texts, "interval": number} for number in numbers]


_OF_THE_HEAD: Final = frozenset({"method", "path", "query"}) | URLS


class _StreamCheck:
    """Feeds the body to a hash per signed content and key while it arrives."""

    __slots__ = ("_body_text", "_facts", "_offers", "_running", "_variants", "_verifier")

    def __init__(self, verifier: Signature, facts: Facts, offers: list[bytes]) -> None:
        self._verifier = verifier
        self._facts = facts
        self._offers = offers
        self._running: list[Hash] = []

    def _begin(self) -> list[Hash]:
        # The keys are known only after every rule has seen the head: a source is asked for nothing that is malformed.
        facts, template = self._facts, self._verifier.template
        self._body_text = body_text(template)
        self._variants = self._verifier.variants(facts)
        states = self._running
        for texts in self._variants:
            fresh = [active.key.start() for active in facts.keys]
            if template.before:
                prefix = fill(template.before, texts)
                for running in fresh:
                    running.update(prefix)
            states += fresh
        return states

    def update(self, chunk: bytes) -> None:
        states = self._running or self._begin()
        if self._body_text is not None:
            self._body_text.update(chunk)
        elif self._verifier.template.body:
            for running in states:
                running.update(chunk)

    def finish(self, facts: Facts) -> None:
        states = self._running or self._begin()
        after = self._verifier.template.after
        middle = b"" if self._body_text is None else self._body_text.written()
        if after or middle:
            tails = [middle + fill(after, texts) for texts in self._variants for _ in facts.keys]
            for running, tail in zip(states, tails, strict=True):
                running.update(tail)
        judge(facts, states, self._offers)


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
        states = []
        for texts in self._verifier.variants(facts):
            # A record that names fields never covers the body besides, so the filled text is all there is.
            content = fill(self._verifier.template.before, texts)
            for active in facts.keys:
                running = active.key.start()
                running.update(content)
                states.append(running)
        judge(facts, states, [*self._offers, *offered])
        facts.fields = fields
