"""One rule per file. Each is a ``Verifier``: ``open`` judges the head, the ``Check`` it may return judges the body.

A rule is imported when a chain has it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hooklatch.verifiers.age import Age
    from hooklatch.verifiers.body_digest import BodyDigest
    from hooklatch.verifiers.cheap import Cheap
    from hooklatch.verifiers.event_id import EventId
    from hooklatch.verifiers.handshake import Beside, Proven, Waiting
    from hooklatch.verifiers.length import Length
    from hooklatch.verifiers.method import Method
    from hooklatch.verifiers.origin import Origin
    from hooklatch.verifiers.overrides import Overrides
    from hooklatch.verifiers.signature import Signature
    from hooklatch.verifiers.statements import Statements
    from hooklatch.verifiers.timestamp import Timestamp
    from hooklatch.verifiers.user_agent import UserAgent

__all__ = [
    "Age",
    "Beside",
    "BodyDigest",
    "Cheap",
    "EventId",
    "Length",
    "Method",
    "Origin",
    "Overrides",
    "Proven",
    "Signature",
    "Statements",
    "Timestamp",
    "UserAgent",
    "Waiting",
]

_HOMES: Final = {
    "Age": "age",
    "Beside": "handshake",
    "BodyDigest": "body_digest",
    "Cheap": "cheap",
    "EventId": "event_id",
    "Length": "length",
    "Method": "method",
    "Origin": "origin",
    "Overrides": "overrides",
    "Proven": "handshake",
    "Signature": "signature",
    "Statements": "statements",
    "Timestamp": "timestamp",
    "UserAgent": "user_agent",
    "Waiting": "handshake",
}


def __getattr__(name: str) -> object:
    """Import the file that has the rule *name*."""
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Return the names of the rules."""
    return sorted(__all__)
