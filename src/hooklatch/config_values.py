"""What a file may say under a name: the types that ``Options``, ``Settings`` and ``Provider`` declare decide.

A value as TOML or JSON has it becomes what the type wants: a list a tuple, a table a ``Header`` or ``CORS``, the text
``none`` a None, ``call:package.module:name`` the object of that name. The same types make the JSON Schema
(``tools/generate_schema.py``).
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from hooklatch import chain, stores
from hooklatch.cors import CORS
from hooklatch.errors import ConfigError
from hooklatch.fields import FormField, Header, JSONField, Query
from hooklatch.observe import Event
from hooklatch.provider import Provider
from hooklatch.ratelimit import FailureLimit
from hooklatch.remote_keys import Published
from hooklatch.settings import Settings
from hooklatch.types import Verifier
from hooklatch.verifiers.user_agent import OnTest, OtherAgents

if TYPE_CHECKING:
    from hooklatch.fields import Field

CALL: Final = "call:"
LISTS: Final = (Sequence, Iterable, tuple)
PLACES: Final[Mapping[type, str]] = {Header: "header", Query: "query", JSONField: "json", FormField: "form"}
"""By which key a table tells where a value stands in a request."""
NOT_IN_FILES: Final = frozenset({"routes", "clock", "on_secret", "fetch", "published", "claims"})
"""What a file writes otherwise, or not at all."""

_NAMES: Final = {
    "Mapping": Mapping,
    "Sequence": Sequence,
    "Iterable": Iterable,
    "Callable": Callable,
    "CORS": CORS,
    "OnTest": OnTest,
    "OtherAgents": OtherAgents,
    "Verifier": Verifier,
    "Chain": chain.Chain,
    "Event": Event,
    "FailureLimit": FailureLimit,
    "AnyStore": stores.AnyStore,
    "Render": Callable,
    "Fetcher": Callable,
    "Published": Published,
}


@cache
def options() -> dict[str, Any]:
    """Return the options of a route that a file may hold, and their types."""
    hints = get_type_hints(chain.Options, localns=_NAMES)
    return {name: hint for name, hint in hints.items() if name not in NOT_IN_FILES}


@cache
def settings() -> dict[str, Any]:
    """Return the settings of a door that a file may hold, and their types."""
    hints = get_type_hints(Settings, localns=_NAMES)
    return {name: str if name == "store" else hint for name, hint in hints.items() if name not in NOT_IN_FILES}


@cache
def facts() -> dict[str, Any]:
    """Return the facts of a sender, and their types."""
    hints = get_type_hints(Provider, localns=_NAMES)
    return {name: hint for name, hint in hints.items() if name not in {"name", *NOT_IN_FILES}}


OVER: Final[dict[str, Any]] = {
    "fields": Sequence[str],
    "signature": str,
    "every": float | None,
    "neighbours": int,
    "join": str,
}
"""What ``Provider.over`` takes."""

CORS_KEYS: Final[dict[str, Any]] = {
    "origins": Sequence[str],
    "headers": Sequence[str],
    "max_age": int,
    "credentials": bool,
}
LIMIT_KEYS: Final[dict[str, Any]] = {"limit": str, "storage": str, "namespace": str, "timeout": float}
PLACE_KEYS: Final[dict[type, dict[str, Any]]] = {
    Header: {"header": str | Sequence[str], "part": str, "many": bool, "separator": str, "assign": str},
    Query: {"query": str},
    JSONField: {"json": str | Sequence[str]},
    FormField: {"form": str},
}


def alternatives(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a type of any kind
    """Return the types of which *hint* is the union."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def value(given: object, hint: Any) -> Any:  # noqa: ANN401 - what *hint* says
    """Return *given* as the type *hint*; raise ``ConfigError`` without repeating what may be a misplaced secret."""
    for kind in alternatives(hint):
        if _fits(given, kind):
            return _made(given, kind)
    msg = f"must be {' or '.join(dict.fromkeys(map(described, alternatives(hint))))}"
    raise ConfigError(msg)


def table(given: object, hints: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table whose values have the types in *hints*; raise ``ConfigError``."""
    if not isinstance(given, Mapping):
        msg = "must be a table"
        raise ConfigError(msg)
    found = {}
    for name, item in given.items():
        if name not in hints:
            raise ConfigError(unknown(name, hints))
        try:
            found[name] = value(item, hints[name])
        except ConfigError as bad:
            msg = f"{name}: {bad}"
            raise ConfigError(msg) from bad
    return found


def unknown(name: object, known: Iterable[str]) -> str:
    """Return the sentence about a name that is not among the *known*."""
    import difflib  # noqa: PLC0415 - only a mistake needs it

    names = sorted(known)
    near = difflib.get_close_matches(str(name), names, 1)
    cure = f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}"
    return f"nothing is called {str(name)[:80]!r} here; {cure}"


def named_object(reference: str) -> Any:  # noqa: ANN401 - whatever has that name
    """Return what ``call:package.module:name`` names; raise ``ConfigError``."""
    module, colon, path = reference.removeprefix(CALL).partition(":")
    if not module or not colon or not path:
        msg = "write call:package.module:name"
        raise ConfigError(msg)
    try:
        found: Any = import_module(module)
        for step in path.split("."):
            found = getattr(found, step)
    except (ImportError, AttributeError) as bad:
        msg = f"{reference} is not there ({bad}); is its folder on the import path?"
        raise ConfigError(msg) from bad
    return found


def family(kind: Any) -> str:  # noqa: ANN401 - a type of any kind
    """Return to which family of types *kind*, which is no union, belongs."""
    origin = get_origin(kind)
    if origin in LISTS:
        return "list"
    return "choice" if origin is Literal else "table" if origin is Mapping else _FAMILIES.get(kind, "code")


def described(kind: Any) -> str:  # noqa: ANN401 - a type of any kind
    """Return what a file has to say for *kind*, in words."""
    if family(kind) == "choice":
        return " or ".join(f'"{one}"' if isinstance(one, str) else str(one) for one in get_args(kind))
    if family(kind) == "list":
        return f"a list of {described(get_args(kind)[0])}"
    return _WORDS.get(kind, "a table" if family(kind) == "table" else f'"{CALL}package.module:name"')


_FAMILIES: Final[Mapping[Any, str]] = {
    type(None): "none",
    bool: "truth",
    int: "integer",
    float: "number",
    str: "text",
    CORS: "cors",
    FailureLimit: "limit",
    **dict.fromkeys(PLACES, "place"),
}
_WORDS: Final[Mapping[Any, str]] = {
    type(None): '"none"',
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    CORS: "a table with origins",
    FailureLimit: 'a table such as { limit = "20/minute" }',
    **{kind: f"a table such as {{ {key} = ... }}" for kind, key in PLACES.items()},
}


def _fits(given: object, kind: Any) -> bool:  # noqa: ANN401 - a type of any kind
    return _FITS[family(kind)](given, kind)


_FITS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "none": lambda given, _: given == "none",
    "truth": lambda given, _: isinstance(given, bool),
    "integer": lambda given, _: isinstance(given, int) and not isinstance(given, bool),
    "number": lambda given, _: isinstance(given, int | float) and not isinstance(given, bool),
    "text": lambda given, _: isinstance(given, str),
    "choice": lambda given, kind: any(given == one and type(given) is type(one) for one in get_args(kind)),
    "list": lambda given, kind: (
        isinstance(given, list | tuple)
        and all(any(_fits(item, one) for one in alternatives(get_args(kind)[0])) for item in given)
    ),
    "table": lambda given, _: isinstance(given, Mapping),
    "cors": lambda given, _: isinstance(given, Mapping),
    "limit": lambda given, _: isinstance(given, Mapping),
    "place": lambda given, kind: isinstance(given, Mapping) and PLACES[kind] in given,
    "code": lambda given, _: isinstance(given, str) and given.startswith(CALL),
}


def _made(given: Any, kind: Any) -> Any:  # noqa: ANN401 - see ``value``
    make = _MADE.get(family(kind))
    return given if make is None else make(given, kind)


def _place(given: object, kind: type) -> Field:
    keys = table(given, PLACE_KEYS[kind])
    names = keys.pop(PLACES[kind])
    if kind is JSONField:
        return JSONField(*(names.split(".") if isinstance(names, str) else names))
    if kind is Header:
        return Header(*([names] if isinstance(names, str) else names), **keys)
    return kind(names, **keys)  # type: ignore[no-any-return]


_MADE: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "none": lambda *_: None,
    "list": lambda given, kind: tuple(value(item, get_args(kind)[0]) for item in given),
    "table": lambda given, kind: {name: value(item, get_args(kind)[1]) for name, item in given.items()},
    "place": _place,
    "cors": lambda given, _: CORS(**table(given, CORS_KEYS)),
    "limit": lambda given, _: FailureLimit(**table(given, LIMIT_KEYS)),
    "code": lambda given, _: named_object(given),
}
