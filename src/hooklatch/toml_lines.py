"""On which line of a TOML file a key stands: the standard library's parser does not tell.

A statement is the shortest run of lines that parses by itself; it cannot end inside of a list or a text, because that
would not parse. So the parser itself finds the statements, and nothing here knows TOML's grammar.
"""

from __future__ import annotations

import tomllib
from typing import TypeAlias

Key: TypeAlias = tuple[str, ...]


def key_lines(text: str) -> dict[Key, int]:
    """Return the line (from 1) of every key of *text*, which parses, by its path from the root."""
    found: dict[Key, int] = {}
    table: Key = ()
    begun: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        begun.append(line.removesuffix("\r"))
        try:
            statement = tomllib.loads("\n".join(begun))
        except tomllib.TOMLDecodeError:
            continue
        paths = _paths(statement)
        heading = begun[0].lstrip(" \t").startswith("[")
        first = number - len(begun) + 1
        for path in paths:
            found.setdefault(path if heading else table + path, first)
        if heading:
            table = paths[-1]
        begun = []
    return found


def _paths(value: object) -> list[Key]:
    """Return the paths of all keys in *value*, each before those below it."""
    if isinstance(value, list):
        return [path for item in value for path in _paths(item)]
    if not isinstance(value, dict):
        return []
    return [path for name, item in value.items() for path in ((name,), *((name, *rest) for rest in _paths(item)))]
