"""Contentful: method, path with query, the headers that a signed header names, and the body, a line each.

The path is escaped once more than it was sent, the query twice: that is what Contentful's own library signs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from hooklatch.errors import SignatureMalformed
from hooklatch.fields import Header
from hooklatch.schemes import Statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hooklatch.provider import Provider
    from hooklatch.schemes import Setting
    from hooklatch.signing import Draft
    from hooklatch.types import Coverage, Facts, SigningKey

SIGNED: Final = Header("x-contentful-signed-headers")
TIMESTAMP: Final = "x-contentful-timestamp"
MAX_HEADERS: Final = 100
_NAME: Final = re.compile("[a-z0-9-]+")


class Contentful:
    """The whole request, and those headers that are listed."""

    proves = frozenset({"timestamp"})
    needs_url = False
    opens_body = False

    def coverage(self, record: Provider, /) -> Coverage:  # noqa: ARG002 - the same for all records
        """Return what a valid signature vouches for."""
        return "body"

    def look(self, setting: Setting, facts: Facts) -> None:
        """Read the signed headers; refuse a list that leaves out itself or the timestamp."""
        head = facts.head
        setting.offered(head)
        listed = SIGNED.read(head)
        names = listed[0].split(",") if listed else []
        plain = len(names) <= MAX_HEADERS and all(map(_NAME.fullmatch, names))
        if not plain or not {SIGNED.names[0], TIMESTAMP} <= set(names):
            msg = f"{SIGNED.names[0]} must list itself and {TIMESTAMP}, and each header once"
            raise SignatureMalformed(msg)
        path = head.raw_path or quote(head.path, safe="/:@!$&'()*+,;=~-._")
        values = {name: text.strip(" \t") for name in names for text in head.headers.all(name)[:1]}
        if len(values) < len(names) or any(len(head.headers.all(name)) > 1 for name in names):
            msg = "a signed header is absent or repeated"
            raise SignatureMalformed(msg)
        facts.texts["contentful"] = start = _start(head.method, path, head.query, values)
        # A value that holds ";name:" could be cut into two: "a:1;b:2" is a list of one or of two headers.
        if any(start.count(f";{name}:") > 1 for name in names) or not start.isascii():
            msg = "a signed header contains what separates headers in the signed content"
            raise SignatureMalformed(msg)

    def statements(self, setting: Setting, facts: Facts) -> Sequence[Statement]:
        """Return the one statement."""
        content = facts.texts["contentful"].encode("ascii") + facts.body
        return [Statement(content, setting.offered(facts.head))]

    def sign(self, setting: Setting, draft: Draft, key: SigningKey) -> None:  # noqa: ARG002 - the draft has it all
        """Sign every header that the draft has by now."""
        names = sorted({*draft.headers, SIGNED.names[0]})
        draft.headers[SIGNED.names[0]] = ",".join(names)
        target = urlsplit(draft.url)
        start = _start(draft.method, target.path or "/", target.query, {name: draft.headers[name] for name in names})
        draft.attach(draft.written(key, start.encode("latin-1") + draft.body))


def _start(method: str, path: str, query: str, headers: Mapping[str, str]) -> str:
    if query:
        path += "?" + quote(query, safe="-_.!~*'()")
    listed = ";".join(f"{name}:{value}" for name, value in headers.items())
    escaped = quote(path, safe="!#$&'()*+,/:;=?@-._~")
    return f"{method}\n{escaped}\n{listed}\n"


SCHEME = Contentful()
