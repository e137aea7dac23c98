"""Bodies read so strictly that every other parser must read the same.

Where single fields of a body are signed, the application will parse the body again, with a parser of its own. What
several parsers could understand differently is therefore no value at all: a name that occurs twice (Werkzeug takes
the first, Starlette, Django and ``json`` the last), an escape that only some undo, another encoding than UTF-8.
"""

from __future__ import annotations

import json
import re
from typing import Final, NoReturn, TypeAlias
from urllib.parse import unquote_to_bytes

from hooklatch.errors import BodyMalformed

MAX_DEPTH: Final = 64
MAX_VALUES: Final = 1000

_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}")
_FORM: Final = re.compile(rb"[\x21-\x7e]*")
_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class Integer(str):
    """A JSON integer literal, as sent."""

    __slots__ = ()


class Decimal(str):
    """A JSON number with a fraction or an exponent, as sent."""

    __slots__ = ()


class Pairs:
    """A JSON object as the pairs that were sent, repeated names included."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, JSON]]) -> None:
        """*pairs*: name and value."""
        self.pairs = pairs


JSON: TypeAlias = "Pairs | list[JSON] | str | bool | None"


class JSONDocument:
    """A JSON body; ``text`` finds the one value at a path."""

    def __init__(self, body: bytes) -> None:
        """Parse *body*; raise ``BodyMalformed`` unless it is one strict UTF-8 JSON text."""
        try:
            text = body.decode("utf-8")
            self.root: JSON = _decode(text)
        except (ValueError, RecursionError) as bad:
            msg = "the body is not strict UTF-8 JSON"
            raise BodyMalformed(msg) from bad

    def find(self, *path: str) -> JSON:
        """Return the value at *path*; raise ``KeyError`` where it is absent, ``BodyMalformed`` where it is twofold."""
        value = self.root
        for step in path:
            if isinstance(value, Pairs):
                found = [item for name, item in value.pairs if name == step]
                if len(found) > 1:
                    msg = f"{'.'.join(path)} occurs more than once"
                    raise BodyMalformed(msg)
                if not found:
                    raise KeyError(step)
                value = found[0]
            elif isinstance(value, list) and _INDEX.fullmatch(step) and int(step) < len(value):
                value = value[int(step)]
            else:
                raise KeyError(step)
        return value

    def text(self, *path: str) -> str | None:
        """Return the string or integer literal at *path*, None where it is absent; raise ``BodyMalformed``."""
        try:
            value = self.find(*path)
        except KeyError:
            return None
        if type(value) is str and _encodable(value):
            return value
        if isinstance(value, Integer) and _INTEGER.fullmatch(value):
            return str(value)
        msg = f"{'.'.join(path)} is neither a plain string nor an integer"
        raise BodyMalformed(msg)

    def bounded(self) -> JSONDocument:
        """Return the document itself; raise ``BodyMalformed`` if it is deeper or larger than other parsers bear."""
        level: list[JSON] = [self.root]
        count = depth = 0
        while level:
            depth += 1
            count += len(level)
            if depth > MAX_DEPTH or count > MAX_VALUES:
                msg = f"more than {MAX_DEPTH} levels or {MAX_VALUES} values"
                raise BodyMalformed(msg)
            level = [child for value in level for child in _children(value)]
        return self


class FormDocument:
    """An ``application/x-www-form-urlencoded`` body; ``text`` finds the one value of a name."""

    def __init__(self, body: bytes) -> None:
        """Parse *body*; raise ``BodyMalformed`` unless every parser must read the same names and values."""
        # A body that opens like JSON can hide another value from an application that parses it as JSON.
        if not _FORM.fullmatch(body) or _ESCAPE.search(body) or body.startswith((b"{", b"[")):
            msg = "the body is not a plain urlencoded form"
            raise BodyMalformed(msg)
        pieces = [piece for piece in body.split(b"&") if piece]
        if len(pieces) > MAX_VALUES:
            msg = f"more than {MAX_VALUES} fields"
            raise BodyMalformed(msg)
        self.pairs = [(_unquote(name), _unquote(value)) for name, _, value in (p.partition(b"=") for p in pieces)]

    def text(self, name: str) -> str | None:
        """Return the value of *name*, None where it is absent; raise ``BodyMalformed`` where a twin exists."""
        found = [value for given, value in self.pairs if _bare(given) == name]
        if not found:
            return None
        if len(found) > 1 or (name, found[0]) not in self.pairs or "\0" in found[0]:
            msg = f"{name} occurs more than once, or under a twin of its name"
            raise BodyMalformed(msg)
        return found[0]

    def values(self) -> dict[str, list[str]]:
        """Return every name with its values; raise ``BodyMalformed`` for a name that other parsers read otherwise."""
        found: dict[str, list[str]] = {}
        for name, value in self.pairs:
            if not name or _bare(name) != name or "\0" in value:
                msg = f"{name!r} is no plain name of a field"
                raise BodyMalformed(msg)
            found.setdefault(name, []).append(value)
        return found

    def single(self) -> dict[str, str]:
        """Return every name with its value; raise ``BodyMalformed`` also for a name that occurs twice."""
        found = self.values()
        for name, values in found.items():
            if len(values) > 1:
                msg = f"{name} occurs more than once"
                raise BodyMalformed(msg)
        return {name: values[0] for name, values in found.items()}


def _children(value: JSON) -> list[JSON]:
    if isinstance(value, Pairs):
        return [item for _, item in value.pairs]
    return value if isinstance(value, list) else []


def _bare(name: str) -> str:
    """Return *name* as the laxest parser would call it."""
    return name.replace("\0", "").strip().split("[", 1)[0].strip()


def _unquote(text: bytes) -> str:
    raw = unquote_to_bytes(text.replace(b"+", b" "))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as bad:
        msg = "a form field is not UTF-8"
        raise BodyMalformed(msg) from bad


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _refuse_constant(name: str) -> NoReturn:
    msg = f"{name} is no JSON"
    raise ValueError(msg)


_decode: Final = json.JSONDecoder(
    object_pairs_hook=Pairs, parse_int=Integer, parse_float=Decimal, parse_constant=_refuse_constant
).decode
