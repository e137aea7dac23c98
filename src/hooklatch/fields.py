"""Where a value sits in a request: ``Header``, ``Query``, ``JSONField``, ``FormField``.

Each reads every occurrence and leaves it to the reader of the value to demand exactly one. Values from the head are
latin-1 views of the wire bytes, stripped of space and tab only.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import parse_qsl

from hooklatch.documents import FormDocument, JSONDocument
from hooklatch.errors import BodyMalformed, ConfigError, HeaderDuplicated, SignatureMalformed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hooklatch.types import Facts, Head

MAX_VALUE: Final = 8192
"""Longest header value that is looked at (characters)."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")


class Header:
    """A header, or one labelled part of it.

    *names*: alternative spellings or numbered twins, case-insensitive; *part*: the label in a list such as
    ``t=..,v1=..`` (unknown labels are ignored); *many*: the sender repeats it on purpose (rotation);
    *separator* stands between the parts, *assign* between a label and its value.
    """

    __slots__ = ("_cut", "_twins", "assign", "many", "names", "part", "separator")

    def __init__(
        self, *names: str, part: str | None = None, many: bool = False, separator: str = ",", assign: str = "="
    ) -> None:
        """Raise ``ConfigError`` for no name, or one that cannot be a header."""
        if not names or not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names):
            msg = f"Header{names!r}: name the header with letters, digits and hyphens, as in Header('x-signature')"
            raise ConfigError(msg)
        if not separator or not assign or separator == assign:
            msg = f"Header{names!r}: separator and assign are two different, non-empty texts"
            raise ConfigError(msg)
        self.names = tuple(name.lower() for name in names)
        self.part = part
        self.many = many
        self.separator = separator
        self.assign = assign
        self._twins = self.names[1:]
        self._cut: Callable[[str], Sequence[str]] = self._parts if part is not None else self._whole

    def __repr__(self) -> str:
        """Return the call that makes this field."""
        arguments = [repr(name) for name in self.names]
        arguments += [f"part={self.part!r}"] if self.part is not None else []
        arguments += ["many=True"] if self.many else []
        arguments += [f"separator={self.separator!r}"] if self.separator != "," else []
        arguments += [f"assign={self.assign!r}"] if self.assign != "=" else []
        return f"Header({', '.join(arguments)})"

    def read(self, head: Head) -> Sequence[str]:
        """Return every value that was sent; raise ``HeaderDuplicated`` or ``SignatureMalformed``."""
        lines = head.headers.all(self.names[0])
        if self._twins:
            lines = [*lines, *(line for name in self._twins for line in head.headers.all(name))]
        if len(lines) == 1:
            return self._cut(lines[0])
        if lines and not self.many:
            msg = f"{self.names[0]} was sent {len(lines)} times"
            raise HeaderDuplicated(msg)
        return [value for line in lines for value in self._cut(line)]

    def _whole(self, line: str) -> Sequence[str]:
        if len(line) > MAX_VALUE:
            msg = f"{self.names[0]} is longer than {MAX_VALUE} characters"
            raise SignatureMalformed(msg)
        if self.many:
            return [text for value in line.split(self.separator) if (text := value.strip(" \t"))]
        text = line.strip(" \t")
        return (text,) if text else ()

    def _parts(self, line: str) -> Sequence[str]:
        if len(line) > MAX_VALUE:
            msg = f"{self.names[0]} is longer than {MAX_VALUE} characters"
            raise SignatureMalformed(msg)
        pairs = _labelled(line, self.separator, self.assign)
        if pairs is None:
            msg = f"{self.names[0]} holds a part without {self.assign!r}"
            raise SignatureMalformed(msg)
        part = self.part
        found = [value for label, value in pairs if label == part]
        if len(found) > 1 and not self.many:
            msg = f"{part} stands {len(found)} times in {self.names[0]}"
            raise SignatureMalformed(msg)
        return found


@lru_cache(maxsize=16)
def _labelled(line: str, separator: str, assign: str) -> tuple[tuple[str, str], ...] | None:
    """Return the labels and values of *line*, None if it is no such list.

    Kept for a moment, because the time and the signature of one request often stand in one line.
    """
    found: list[tuple[str, str]] = []
    for piece in line.split(separator):
        label, mark, value = piece.strip(" \t").partition(assign)
        if mark:
            found.append((label, value))
        elif label:
            return None
    return tuple(found)


class Claim:
    """A value that a scheme finds where its signature stands: a claim of a JWT, a parameter in RFC 9421."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        """*name*: such as ``iat`` or ``created``."""
        self.name = name

    def __repr__(self) -> str:
        """Return the call that makes this field."""
        return f"Claim({self.name!r})"


class Query:
    """A parameter of the query string, percent-decoded; it must occur at most once."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        """*name*: the parameter's name as text."""
        self.name = name

    def __repr__(self) -> str:
        """Return the call that makes this field."""
        return f"Query({self.name!r})"

    def read(self, head: Head) -> Sequence[str]:
        """Return the values that were sent, at most one; raise ``HeaderDuplicated`` or ``SignatureMalformed``."""
        try:
            pairs = parse_qsl(head.query, keep_blank_values=True, max_num_fields=100, encoding="latin-1")
        except ValueError as bad:
            msg = "the query string has more than 100 parameters"
            raise SignatureMalformed(msg) from bad
        found = [value for name, value in pairs if name == self.name and value]
        if len(found) > 1:
            msg = f"{self.name} stands {len(found)} times in the query"
            raise HeaderDuplicated(msg)
        return found


class JSONField:
    """A string or integer at *path* of a JSON body; a step of digits reaches into a list."""

    __slots__ = ("path",)

    def __init__(self, *path: str) -> None:
        """Raise ``ConfigError`` for an empty path."""
        if not path or not all(isinstance(step, str) for step in path):
            msg = "JSONField: name the steps to the value as text, as in JSONField('event', 'id')"
            raise ConfigError(msg)
        self.path = path

    def __repr__(self) -> str:
        """Return the call that makes this field."""
        return f"JSONField({', '.join(map(repr, self.path))})"

    def find(self, facts: Facts) -> str | None:
        """Return the value as the text that was sent, None where it is absent; raise ``BodyMalformed``."""
        return json_document(facts).text(*self.path)


class FormField:
    """The field *name* of an urlencoded body."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        """Raise ``ConfigError`` for an empty name, or one that form parsers disagree about."""
        if not isinstance(name, str) or not name or name != name.strip() or "[" in name or "\0" in name:
            msg = f"FormField({name!r}): name the field without blanks at its ends and without brackets"
            raise ConfigError(msg)
        self.name = name

    def __repr__(self) -> str:
        """Return the call that makes this field."""
        return f"FormField({self.name!r})"

    def find(self, facts: Facts) -> str | None:
        """Return the decoded value, None where it is absent; raise ``BodyMalformed``."""
        return form_document(facts).text(self.name)


HeadField: TypeAlias = Header | Query
BodyField: TypeAlias = JSONField | FormField
Field: TypeAlias = HeadField | BodyField | Claim


def json_document(facts: Facts) -> JSONDocument:
    """Return the body as JSON, parsed once a request; raise ``BodyMalformed``."""
    if not isinstance(facts.document, JSONDocument):
        facts.document = JSONDocument(facts.body)
    return facts.document


def form_document(facts: Facts) -> FormDocument:
    """Return the body as a form, parsed once a request; raise ``BodyMalformed``."""
    if not isinstance(facts.document, FormDocument):
        facts.document = FormDocument(facts.body)
    return facts.document


def agreed_kind(head: Head, kinds: tuple[type[BodyField], ...]) -> type[BodyField]:
    """Return which of the record's *kinds* the body is; raise ``BodyMalformed`` if the Content-Type disagrees.

    The record decides which parsers come into question. The application will believe the Content-Type, so a body
    whose type is absent, repeated, or another one could give it other values than the proven ones.
    """
    lines = head.headers.all("content-type")
    if len(lines) == 1:
        essence, *parameters = (part.strip(" \t").lower() for part in lines[0].split(";"))
        for kind in kinds:
            if essence == _TYPES[kind] and all(p in {"", "charset=utf-8", 'charset="utf-8"'} for p in parameters):
                return kind
    msg = f"the Content-Type must be {' or '.join(_TYPES[kind] for kind in kinds)}, once, in UTF-8"
    raise BodyMalformed(msg)


_TYPES: Final[dict[type[BodyField], str]] = {
    JSONField: "application/json",
    FormField: "application/x-www-form-urlencoded",
}
