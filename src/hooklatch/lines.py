"""Header lines given as pairs: by an ASGI server, or by a caller without any server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

GivenHeaders: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]


class ByteLines:
    """The header list of an ASGI scope, indexed once; names are compared in lower case whatever the server wrote."""

    __slots__ = ("_found",)

    def __init__(self, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        """*pairs*: name and value as bytes."""
        found: dict[bytes, list[bytes]] = {}
        for name, value in pairs:
            key = name.lower()
            if key in found:
                found[key].append(value)
            else:
                found[key] = [value]
        self._found = found

    def all(self, name: str, /) -> Sequence[str]:
        """Return the values of every line called *name* (lower case)."""
        values = self._found.get(_encoded(name))
        if values is None:
            return ()
        if len(values) == 1:
            return (values[0].decode("latin-1"),)
        return [value.decode("latin-1") for value in values]

    def any(self, names: frozenset[str], /) -> bool:
        """Return whether there is a line called by one of the *names* (lower case)."""
        return not self._found.keys().isdisjoint(_all_encoded(names))


class SingleLines:
    """Header lines of which none is repeated and every name is in lower case, as a dict."""

    __slots__ = ("_found",)

    def __init__(self, found: Mapping[bytes, bytes]) -> None:
        """*found*: the values by their names."""
        self._found = found

    def all(self, name: str, /) -> Sequence[str]:
        """Return the values of every line called *name* (lower case): here one at most."""
        value = self._found.get(_encoded(name))
        return () if value is None else (value.decode("latin-1"),)

    def any(self, names: frozenset[str], /) -> bool:
        """Return whether there is a line called by one of the *names* (lower case)."""
        return not self._found.keys().isdisjoint(_all_encoded(names))


def single(pairs: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes] | None:
    """Return *pairs* as ``SingleLines`` takes them, None where they are not so, or could not be read again."""
    try:
        count = len(pairs)  # type: ignore[arg-type]  # what cannot be counted may be gone once it is read
        found = dict(pairs)
        return found if len(found) == count and b"".join(found).islower() else None
    except TypeError:
        return None


@lru_cache(maxsize=1024)
def _encoded(name: str) -> bytes:
    return name.encode("latin-1")


@lru_cache(maxsize=1024)
def _all_encoded(names: frozenset[str]) -> frozenset[bytes]:
    return frozenset(map(_encoded, names))


def byte_lines(headers: GivenHeaders) -> ByteLines:
    """Return text *headers* (a mapping, or pairs) as lines; raise ``TypeError`` for what is no text."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    found = []
    for name, value in pairs:
        if not isinstance(name, str) or not isinstance(value, str):
            msg = f"headers are text: {name!r} has a value of type {type(value).__name__}"
            raise TypeError(msg)
        # Text beyond latin-1 cannot have come over the wire; it becomes what no grammar accepts.
        found.append((name.encode("latin-1", "replace"), value.encode("latin-1", "replace")))
    return ByteLines(found)
