"""The other direction: from a record to the delivery its sender would make. What verifies also signs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from hooklatch.documents import FormDocument, JSONDocument
from hooklatch.errors import BodyMalformed, ConfigError
from hooklatch.fields import Claim, FormField, Header, JSONField, Query
from hooklatch.schemes import Setting, scheme
from hooklatch.template import decoded, intervals
from hooklatch.types import Delivery
from hooklatch.verifiers.event_id import well_formed
from hooklatch.verifiers.offers import encoded
from hooklatch.verifiers.timestamp import written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hooklatch.fields import BodyField, Field
    from hooklatch.provider import Provider
    from hooklatch.types import Signer


def deliver(
    record: Provider,
    body: bytes | Mapping[str, object],
    key: Signer,
    *,
    id: str | None,  # noqa: A002 - the name every sender gives it
    at: float,
    method: str,
    url: str,
    headers: Mapping[str, str],
    expect: Mapping[str, str],
) -> Delivery:
    """Return what *record*'s sender would send; see ``Provider.sign``."""
    draft = Draft(record, body, id=id, at=at, method=method, url=url, headers=headers)
    draft.texts |= {f"expect.{name}": text for name, text in expect.items()}
    try:
        if record.scheme:
            scheme(record.scheme).sign(Setting(record, url.partition("?")[0], expect), draft, key)
        else:
            draft.attach(draft.written(key, draft.content()))
    except BodyMalformed as bad:
        msg = f"{record.name} signs fields of the body, and this body cannot be read: {bad}"
        raise ConfigError(msg) from bad
    return Delivery(draft.method, draft.url, draft.headers, draft.body)


class Draft:
    """A delivery in the making: ``method``, ``url``, ``headers`` (lower-case names), ``body``, and ``texts``, what the
    record's timestamp and id were written as.
    """

    def __init__(
        self,
        record: Provider,
        body: bytes | Mapping[str, object],
        *,
        id: str | None,  # noqa: A002
        at: float,
        method: str,
        url: str,
        headers: Mapping[str, str],
    ) -> None:
        self.record = record
        self.at = at
        self.method = method
        self.url = url
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.texts: dict[str, str] = {}
        self.kind = self._kind(body)
        self.body = body if isinstance(body, bytes) else _write(body, self.kind)
        if record.agents and "user-agent" not in self.headers:
            self.headers["user-agent"] = record.agents[0].rstrip("*")
        if record.timestamp is not None:
            self.put(record.timestamp, "timestamp", written(at, record.timestamp_unit))
        if record.id is not None and (id is not None or isinstance(record.id, Header | Query)):
            self.put(record.id, "id", id or f"evt_{hashlib.sha256(self.body).hexdigest()[:20]}")
            barred = record.template.barred.get("id", "")
            if isinstance(record.id, Header | Query) and not well_formed(self.texts["id"], barred):
                msg = f"{record.name}: id={id!r} must be printable ASCII without blanks, commas or {barred!r}"
                raise ConfigError(msg)

    def _kind(self, body: bytes | Mapping[str, object]) -> type[BodyField]:
        """Return how the body is written, and say so in the Content-Type where there is none."""
        record = self.record
        partial = record.opens_body
        kind = record.kinds[0]
        if isinstance(body, bytes) and len(record.kinds) > 1:
            kind = JSONField if body.lstrip().startswith(b"{") else FormField
        elif not partial and isinstance(body, Mapping):
            kind = JSONField
        if partial or isinstance(body, Mapping):
            self.headers.setdefault("content-type", _CONTENT_TYPES[kind])
        return kind

    def put(self, place: Field, name: str, text: str) -> None:
        """Put *text* where the record reads *name*, unless it stands there already."""
        self.texts[name] = text
        match place:
            case Header(part=None):
                self.headers[place.names[0]] = text
            case Header():
                self._add_part(place, text)
            case Query():
                self._add_query(place.name, text)
            case Claim():
                pass
            case _:
                self.body = _with_field(self.body, place, text, number=name == "timestamp")

    def _add_part(self, place: Header, text: str) -> None:
        name = place.names[0]
        part = f"{place.part}{place.assign}{text}"
        self.headers[name] = f"{self.headers[name]}{place.separator}{part}" if name in self.headers else part

    def _add_query(self, name: str, text: str) -> None:
        self.url += ("&" if urlsplit(self.url).query else "?") + urlencode({name: text})

    def content(self) -> bytes:
        """Return the signed content."""
        record = self.record
        target = urlsplit(self.url)
        texts = self.texts | {
            "method": self.method,
            "path": quote(target.path, safe="/%:@!$&'()*+,;=~-._"),
            "query": target.query,
            "url": self.url,
            "url:decoded": decoded(self.url),
        }
        if record.every is not None:
            texts["interval"] = intervals(self.at, every=record.every, neighbours=0)[0]
        template = record.template
        for name in template.headers:
            if name not in self.headers:
                msg = f"{record.name} signs the header {name}; give it in headers="
                raise ConfigError(msg)
            texts[f"header.{name}"] = self.headers[name]
        if template.fields:
            texts |= self._fields(template.fields)
        unknown = [name for name in template.expects if f"expect.{name}" not in texts]
        if unknown:
            msg = f"{record.name} signs what only the two of you know; give it in expect=: {', '.join(unknown)}"
            raise ConfigError(msg)
        return template.content(texts, self.body)

    def _fields(self, names: tuple[str, ...]) -> dict[str, str]:
        if self.kind is JSONField:
            document = JSONDocument(self.body)
            found = {name: document.text(*name.split(".")) for name in names}
        else:
            form = FormDocument(self.body)
            found = {name: form.text(name) for name in names}
        missing = sorted(name for name, value in found.items() if value is None)
        if missing:
            msg = f"{self.record.name} signs body fields that are absent: {', '.join(missing)}"
            raise ConfigError(msg)
        return {f"field.{name}": value for name, value in found.items() if value is not None}

    def written(self, key: Signer, content: bytes) -> str:
        """Return the signature of *content* as the sender writes it."""
        return self.record.prefix + encoded(key.sign(content), self.record.encoding)

    def attach(self, signature: str) -> None:
        """Put *signature* in its place."""
        places = self.record.places
        self.put(next((p for p in places if isinstance(p, self.kind)), places[0]), "signature", signature)


def _write(fields: Mapping[str, object], kind: type[BodyField]) -> bytes:
    if kind is FormField:
        return urlencode({name: str(value) for name, value in fields.items()}).encode("ascii")
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def _with_field(body: bytes, place: BodyField, text: str, *, number: bool) -> bytes:
    """Return *body* with *text* at *place*, or *body* itself where the place is taken or cannot be reached."""
    if isinstance(place, FormField):
        if any(name == place.name for name, _ in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)):
            return body
        return body + (b"&" if body else b"") + urlencode({place.name: text}).encode("ascii")
    bare = body.rstrip()
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return body
    if not isinstance(document, dict) or not bare.endswith(b"}"):
        return body
    value = text if number and text.isdecimal() else json.dumps(text)
    first, *others = place.path
    if first in document:
        return _with_nested(body, document, place.path, json.loads(value))
    for step in reversed(others):
        value = f"{{{json.dumps(step)}:{value}}}"
    addition = f"{json.dumps(first)}:{value}}}".encode()
    return bare[:-1] + (b"," if document else b"") + addition


def _with_nested(body: bytes, document: dict[str, Any], path: Sequence[str], value: object) -> bytes:
    """Return *body*, which is *document*, written anew with *value* at *path*, or as it is where that is taken."""
    *steps, last = path
    at: object = document
    for step in steps:
        if isinstance(at, list):
            at = at[int(step)] if step.isdecimal() and int(step) < len(at) else None
        else:
            at = at.setdefault(step, {}) if isinstance(at, dict) else None
    if not isinstance(at, dict) or last in at:
        return body
    at[last] = value
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


_CONTENT_TYPES = {JSONField: "application/json", FormField: "application/x-www-form-urlencoded"}
