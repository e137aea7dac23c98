"""``"{timestamp}.{body}"``: the signed content, compiled once into what goes before and after the body.

Names: ``{timestamp} {id} {method} {url} {path} {query} {interval} {body} {body:sha256} {body:crc32} {field.NAME}
{header.NAME} {expect.NAME}``; a dot in a field's NAME is a step into JSON, ``expect`` is what the route expects;
``{url:decoded}`` has some escapes undone, see ``decoded``; ``{body:sha256:raw}`` is the digest as its 32 bytes and not
in hex. A template is refused when two parts meet that could trade characters: ``{id}{body}`` signs "ab"+"c" and
"a"+"bc" alike. A literal between them helps only if the first part cannot contain it; for text that a stranger writes
this is enforced on each request (``barred``).
"""

from __future__ import annotations

import hashlib
import itertools
import math
import re
import zlib
from typing import TYPE_CHECKING, Final, Protocol

from hooklatch.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

Parts = tuple[bytes | str, ...]
"""Literal bytes, or the name of a value."""

_TOKEN: Final = re.compile(r"\{([^{}]*)\}|([^{}]+)|(.)", re.DOTALL)
DIGESTS: Final = {"body:sha256": "sha256", "body:sha256:raw": "sha256:raw", "body:crc32": "crc32"}
BODIES: Final = {"body": "raw", **DIGESTS}
"""The names for the body, and how it is signed."""

URLS: Final = frozenset({"url", "url:decoded"})
_PLAIN: Final = frozenset({"timestamp", "id", "method", "path", "query", "interval"}) | URLS | BODIES.keys()

# What a part cannot contain, as characters; a part of closed grammar cannot be lengthened or shortened unnoticed.
_CLOSED: Final = frozenset({"timestamp", "interval", "method"}) | DIGESTS.keys()
_NEVER: Final[dict[str, str]] = {
    "url": "\0\t\n\r ",
    "url:decoded": "\0\t\n\r ",
    "path": "\0\t\n\r ?#",
    "query": "\0\t\n\r #",
}


class Template:
    """One signed content, compiled.

    ``before`` and ``after``: the parts around the body; ``body``: how it is signed, a value of ``BODIES``, or ``""``
    where it is not; ``names``: every value it needs; ``fields``: the body fields among them; ``barred``: for each value
    a stranger writes, the character that must not occur in it; ``tight``: whether the timestamp touches an open part,
    so that only timestamps of the usual width are accepted.
    """

    __slots__ = ("after", "barred", "before", "body", "fields", "headers", "names", "text", "tight")

    def __init__(self, text: str, *, adjacent: bool = False) -> None:
        """Compile *text*; raise ``ConfigError`` for an unknown name, or parts that could trade characters.

        *adjacent*: this is the sender's own format, in which such parts meet; its documentation says what may shift.
        """
        parts = _parse(text)
        bodies = [index for index, part in enumerate(parts) if part in BODIES]
        if len(bodies) > 1:
            msg = f"signed={text!r}: the body can stand in the signed content only once"
            raise ConfigError(msg)
        cut = bodies[0] if bodies else len(parts)
        self.text = text
        self.before: Parts = tuple(parts[:cut])
        self.after: Parts = tuple(parts[cut + 1 :])
        self.body = BODIES[str(parts[cut])] if bodies else ""
        self.names = frozenset(part for part in parts if isinstance(part, str))
        self.fields = tuple(part[6:] for part in parts if isinstance(part, str) and part.startswith("field."))
        self.headers = tuple(part[7:] for part in parts if isinstance(part, str) and part.startswith("header."))
        self.barred = {} if adjacent else _barred(text, parts)
        self.tight = any(
            "timestamp" in pair and not isinstance(other, bytes) and other not in _CLOSED
            for pair in itertools.pairwise(parts)
            for other in pair
            if other != "timestamp"
        )
        if not self.names:
            msg = f"signed={text!r}: nothing of the request is signed"
            raise ConfigError(msg)

    @property
    def covers_body(self) -> bool:
        """Whether the whole body is in the signed content, so that nobody can write another one."""
        return self.body not in {"", "crc32"}

    @property
    def expects(self) -> tuple[str, ...]:
        """The names of the values that the route must know."""
        return tuple(sorted(name[7:] for name in self.names if name.startswith("expect.")))

    def content(self, values: Mapping[str, str], body: bytes) -> bytes:
        """Return the signed content as one object; *values* as for ``fill``."""
        running = body_text(self)
        if running is not None:
            running.update(body)
            body = running.written()
        return fill(self.before, values) + (body if self.body else b"") + fill(self.after, values)


class BodyText(Protocol):
    """What stands for the body in the signed content, computed while the body arrives."""

    def update(self, data: bytes, /) -> None:
        """Take in more bytes."""

    def written(self) -> bytes:
        """Return what is signed in its place."""


class _SHA256:
    __slots__ = ("_hash", "_raw", "update")

    def __init__(self, *, raw: bool) -> None:
        self._hash = hashlib.sha256()
        self._raw = raw
        self.update = self._hash.update

    def written(self) -> bytes:
        return self._hash.digest() if self._raw else self._hash.hexdigest().encode("ascii")


class _CRC32:
    """A checksum: whoever may choose four bytes makes any body fit it."""

    __slots__ = ("_value",)

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def written(self) -> bytes:
        return b"%d" % self._value


def body_text(template: Template) -> BodyText | None:
    """Return what reads the body for *template*, None where it is signed as it is or not at all."""
    if template.body == "crc32":
        return _CRC32()
    return _SHA256(raw=template.body == "sha256:raw") if template.body.startswith("sha256") else None


def fill(parts: Parts, values: Mapping[str, str]) -> bytes:
    """Return *parts* with their *values*: header text verbatim (latin-1), fields and what is expected in UTF-8."""
    return b"".join(
        [
            part
            if isinstance(part, bytes)
            else values[part].encode("utf-8" if part.startswith(("field.", "expect.")) else "latin-1")
            for part in parts
        ]
    )


def decoded(url: str) -> str:
    """Return *url* with the escapes of ``: / ? @ ! $ ' ( ) * , ;`` undone, and no others, as HubSpot signs it."""
    return _DECODED.sub(lambda match: chr(int(match[1], 16)), url)


_DECODED: Final = re.compile("%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)


def intervals(received_at: float, *, every: float, neighbours: int) -> list[str]:
    """Return the numbers of the interval of *every* seconds around *received_at*, nearest first.

    ``floor(now / every + 1/2)``: half an interval rounds up, as Liquid's ``round`` does and Python's does not.
    """
    middle = math.floor(received_at / every + 0.5)
    offsets = sorted(range(-neighbours, neighbours + 1), key=abs)
    return [str(middle + offset) for offset in offsets]


def _parse(text: str) -> list[bytes | str]:
    parts: list[bytes | str] = []
    for match in _TOKEN.finditer(text):
        name, literal, stray = match.groups()
        if stray is not None:
            msg = f"signed={text!r}: a brace without its twin"
            raise ConfigError(msg)
        if literal is not None:
            try:
                parts.append(literal.encode("utf-8"))
            except UnicodeEncodeError as bad:
                msg = f"signed={text!r}: not UTF-8 text"
                raise ConfigError(msg) from bad
            continue
        kind, dot, rest = name.partition(".")
        if name not in _PLAIN and not (dot and rest and kind in {"field", "header", "expect"}):
            known = " ".join(f"{{{known}}}" for known in sorted(_PLAIN))
            known += " {field.NAME} {header.NAME} {expect.NAME}"
            msg = f"signed={text!r}: {{{name}}} is unknown; known are {known}"
            raise ConfigError(msg)
        parts.append(name.lower() if kind == "header" else name)
    return parts


def _barred(text: str, parts: list[bytes | str]) -> dict[str, str]:
    """Return, for each value a stranger writes, the character it must not contain; refuse what stays ambiguous."""
    barred: dict[str, str] = {}
    for index, part in enumerate(parts[:-1]):
        following = parts[index + 1]
        if isinstance(part, bytes) or part in _CLOSED:
            continue
        if not isinstance(following, bytes):
            # Of two neighbours, one closed grammar is enough: it cannot give or take a character.
            if following in _CLOSED:
                continue
            msg = (
                f"signed={text!r}: {{{part}}} and {{{following}}} meet without a separator and could trade characters; "
                "put a literal between them, or say adjacent=True if this is the sender's own format"
            )
            raise ConfigError(msg)
        if index + 2 == len(parts):
            continue
        separator = following.decode("utf-8")[0]
        if part == "body" and any(isinstance(p, str) and p not in _CLOSED for p in parts[index + 2 :]):
            msg = (
                f"signed={text!r}: the body can contain {separator!r}, so what follows it could move into it; "
                "say adjacent=True if this is the sender's own format"
            )
            raise ConfigError(msg)
        if part != "body" and separator not in _NEVER.get(part, ""):
            barred[part] = separator
    return barred
