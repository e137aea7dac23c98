"""Structured fields for HTTP (RFC 9651): dictionaries of items and inner lists, read strictly and written canonically.

A signature is over what the parser understood, written again; so whatever another parser could understand differently
(a name that occurs twice, blanks where none belong) is an error here and not a matter of the last one winning.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias


class Token(str):
    """A token: a word without quotes."""

    __slots__ = ()


class Decimal(str):
    """A decimal as it was written."""

    __slots__ = ()


Bare: TypeAlias = "int | Decimal | Token | str | bytes | bool"


class Item(NamedTuple):
    """A value and its parameters."""

    value: Bare
    params: Mapping[str, Bare]

    def __str__(self) -> str:
        """Return the item as it is written."""
        return written(self.value) + _parameters(self.params)


class InnerList(NamedTuple):
    """Items in parentheses, and the parameters of the whole."""

    items: tuple[Item, ...]
    params: Mapping[str, Bare]

    def __str__(self) -> str:
        """Return the list as it is written."""
        return f"({' '.join(map(str, self.items))}){_parameters(self.params)}"


_KEY: Final = re.compile(r"[a-z*][a-z0-9_.*-]*")
_BLANKS: Final = re.compile(r" *")
_COMMA: Final = re.compile(r"[ \t]*,[ \t]*(?=[^ \t])")
_BARE: Final = re.compile(
    r"(?P<decimal>-?[0-9]{1,12}\.[0-9]{1,3})"
    r"|(?P<integer>-?[0-9]{1,15})"
    r'|"(?P<string>(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"'
    r"|:(?P<bytes>[A-Za-z0-9+/]*={0,2}):"
    r"|\?(?P<boolean>[01])"
    r"|(?P<token>[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*)"
)
_ESCAPED: Final = re.compile(r"\\(.)")


def dictionary(text: str) -> dict[str, Item | InnerList]:
    """Return the dictionary written in *text*; raise ``ValueError``."""
    return _Reader(text.strip(" ")).dictionary()


def written(value: Bare) -> str:
    """Return *value* as it is written; raise ``ValueError`` for text that cannot be."""
    if isinstance(value, bool):
        return f"?{int(value)}"
    if isinstance(value, bytes):
        return f":{binascii.b2a_base64(value, newline=False).decode('ascii')}:"
    if isinstance(value, int | Decimal | Token):
        return str(value)
    if not value.isascii() or not (value.isprintable() or not value):
        msg = "a string of a structured field is printable ASCII"
        raise ValueError(msg)
    return '"{}"'.format(value.replace("\\", "\\\\").replace('"', '\\"'))


def _parameters(params: Mapping[str, Bare]) -> str:
    return "".join(f";{name}" + ("" if value is True else f"={written(value)}") for name, value in params.items())


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def dictionary(self) -> dict[str, Item | InnerList]:
        found: dict[str, Item | InnerList] = {}
        while True:
            name = self._take(_KEY).group()
            if name in found:
                msg = f"{name} occurs twice"
                raise ValueError(msg)
            found[name] = self._member() if self._skip("=") else Item(value=True, params=self._params())
            if self._at == len(self._text):
                return found
            self._take(_COMMA)

    def _member(self) -> Item | InnerList:
        if not self._skip("("):
            return self._item()
        items: list[Item] = []
        self._take(_BLANKS)
        while not self._skip(")"):
            items.append(self._item())
            if not self._take(_BLANKS).group() and self._text[self._at : self._at + 1] != ")":
                msg = "two items without a blank between them"
                raise ValueError(msg)
        return InnerList(tuple(items), self._params())

    def _item(self) -> Item:
        return Item(self._bare(), self._params())

    def _params(self) -> dict[str, Bare]:
        found: dict[str, Bare] = {}
        while self._skip(";"):
            self._take(_BLANKS)
            name = self._take(_KEY).group()
            if name in found:
                msg = f"the parameter {name} occurs twice"
                raise ValueError(msg)
            found[name] = self._bare() if self._skip("=") else True
        return found

    def _bare(self) -> Bare:
        match = self._take(_BARE)
        text = match.group()
        match match.lastgroup:
            case "integer":
                return int(text)
            case "decimal":
                return Decimal(text)
            case "string":
                return _ESCAPED.sub(r"\1", match["string"])
            case "bytes":
                return binascii.a2b_base64(match["bytes"], strict_mode=True)
            case "boolean":
                return match["boolean"] == "1"
        return Token(text)

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self._text, self._at)
        if match is None:
            msg = f"unreadable from character {self._at} on"
            raise ValueError(msg)
        self._at = match.end()
        return match

    def _skip(self, character: str) -> bool:
        if self._text[self._at : self._at + 1] != character:
            return False
        self._at += 1
        return True
