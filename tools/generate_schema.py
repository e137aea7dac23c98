"""Writes ``src/hooklatch/hooklatch.schema.json``, by which editors check and complete ``hooklatch.toml``.

    python tools/generate_schema.py

Names, types and descriptions are those of ``Options``, ``Settings`` and ``Provider``; nothing is said twice. A test
compares the committed file with what this makes.
"""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from hooklatch import config_values as values
from hooklatch.chain import Options
from hooklatch.provider import Provider
from hooklatch.references import OF_A_SECRET
from hooklatch.settings import Settings
from hooklatch.stores import SCHEMES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

TARGET = Path(__file__).parent.parent / "src" / "hooklatch" / "hooklatch.schema.json"

VARIABLE = "env:[A-Za-z_][A-Za-z0-9_]*"
TEXT = {"type": "string"}
REFERENCE = {"type": "string", "pattern": f"^({VARIABLE}|file:.+|call:[^:]+:.+)$"}


def schema() -> dict[str, Any]:
    """Return the whole schema (JSON Schema, draft 2020-12)."""
    settings = properties(values.settings(), described(Settings))
    settings["store"]["pattern"] = f"^({VARIABLE}|file:.+|({'|'.join(SCHEMES)})://.*)$"
    places = {
        name: table(properties(values.PLACE_KEYS[kind], {}), required=[name]) for kind, name in values.PLACES.items()
    }
    facts = {"facts": table(properties(values.facts(), described(Provider)))}
    providers = {
        "type": "object",
        "description": "Senders that are not in the catalogue.",
        "additionalProperties": {"$ref": "#/$defs/facts", "required": ["signature"]},
    }
    routes = {
        "type": "object",
        "description": "Exact paths, or prefixes that end in /*, each with its sender and my policy.",
        "minProperties": 1,
        "propertyNames": {"pattern": "^/"},
        "additionalProperties": route(),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hooklatch.toml",
        **table({**settings, "routes": routes, "providers": providers}, required=["routes"]),
        "$defs": {**places, **facts},
    }


def route() -> dict[str, Any]:
    """Return the schema of one route."""
    known = properties(values.options(), described(Options)) | {
        "provider": TEXT | {"description": "A sender of the catalogue, or of [providers]."},
        "facts": {"$ref": "#/$defs/facts", "description": "Facts of the sender that differ from its record."},
        "over": table(properties(values.OVER, {}), required=["fields", "signature"])
        | {"description": "Which fields of the body are signed, for senders such as Mechanic."},
        "secrets": either(secret(), {"type": "array", "items": secret(), "minItems": 1})
        | {"description": "References to the secrets, newest first: env:NAME, file:PATH or call:module:function."},
        "public_keys": either(TEXT, {"type": "array", "items": TEXT, "minItems": 1})
        | {"description": "Public keys, written down or referred to, for senders that sign with a private key."},
    }
    return table(known, required=["provider"]) | {"anyOf": [{"required": ["secrets"]}, {"required": ["public_keys"]}]}


def table(known: Mapping[str, Any], *, required: Sequence[str] = ()) -> dict[str, Any]:
    """Return the schema of a table of *known* keys and no others."""
    found: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": dict(known)}
    return found | ({"required": list(required)} if required else {})


def properties(hints: Mapping[str, Any], told: Mapping[str, str]) -> dict[str, Any]:
    """Return a schema for each of the *hints*, with what is *told* about it."""
    return {name: typed(hint) | ({"description": told[name]} if name in told else {}) for name, hint in hints.items()}


def typed(hint: Any) -> dict[str, Any]:  # noqa: ANN401 - a type of any kind
    """Return the schema of what ``config_values.value`` takes for *hint*."""
    return either(*(one(kind) for kind in values.alternatives(hint)))


def one(kind: Any) -> dict[str, Any]:  # noqa: ANN401 - a type of any kind
    """Return the schema of a type that is no union."""
    if kind in PLAIN:
        return PLAIN[kind]
    if kind in values.PLACES:
        return {"$ref": f"#/$defs/{values.PLACES[kind]}"}
    known: dict[str, Callable[[], dict[str, Any]]] = {
        "choice": lambda: {"enum": list(get_args(kind))},
        "list": lambda: {"type": "array", "items": typed(get_args(kind)[0])},
        "table": lambda: {"type": "object", "additionalProperties": typed(get_args(kind)[1])},
        "cors": lambda: table(properties(values.CORS_KEYS, {}), required=["origins"]),
        "limit": lambda: table(properties(values.LIMIT_KEYS, {}), required=["limit"]),
        "code": lambda: {"type": "string", "pattern": "^call:[^:]+:.+$"},
    }
    return known[values.family(kind)]()


PLAIN: dict[Any, dict[str, Any]] = {
    type(None): {"const": "none"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: TEXT,
    datetime: TEXT | {"format": "date-time"},
}


def secret() -> dict[str, Any]:
    """Return the schema of a reference to a secret."""
    about = {name: one(kind) for name, kind in OF_A_SECRET.items() if name != "ref"}
    return either(REFERENCE, table({"ref": REFERENCE, **about}, required=["ref"]))


def either(*kinds: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of what is one of *kinds*."""
    return dict(kinds[0]) if len(kinds) == 1 else {"anyOf": [dict(kind) for kind in kinds]}


def described(source: type) -> dict[str, str]:
    """Return the text below each annotated name of the class *source*."""
    body = ast.parse(textwrap.dedent(inspect.getsource(source))).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101 - the source of a class
    found = {}
    for name, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(name, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            found[ast.unparse(name.target)] = str(text.value.value).replace("``", "").replace("None ", '"none" ')
    return found


def written() -> str:
    """Return the text of the file."""
    return json.dumps(schema(), indent=2) + "\n"


if __name__ == "__main__":
    TARGET.write_text(written(), encoding="utf-8")
    print(TARGET)
