"""hooklatch verifies inbound webhooks before a web application sees them.

A public name is imported when it is asked for, so that a program pays for what it uses.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hooklatch.chain import Chain
    from hooklatch.cors import CORS
    from hooklatch.errors import Acknowledged, Answer, ConfigError, NotProven, Rejected
    from hooklatch.fields import FormField, Header, JSONField, Query
    from hooklatch.provider import Provider
    from hooklatch.secrets import Party, Secret
    from hooklatch.types import Delivery, Webhook
    from hooklatch.verdict import get_webhook

__all__ = [
    "CORS",
    "Acknowledged",
    "Answer",
    "Chain",
    "ConfigError",
    "Delivery",
    "FormField",
    "Header",
    "JSONField",
    "NotProven",
    "Party",
    "Provider",
    "Query",
    "Rejected",
    "Secret",
    "Webhook",
    "get_webhook",
]

_HOMES: Final = {
    "chain": ("Chain",),
    "cors": ("CORS",),
    "errors": ("Acknowledged", "Answer", "ConfigError", "NotProven", "Rejected"),
    "fields": ("FormField", "Header", "JSONField", "Query"),
    "provider": ("Provider",),
    "secrets": ("Party", "Secret"),
    "types": ("Delivery", "Webhook"),
    "verdict": ("get_webhook",),
}


def __getattr__(name: str) -> object:
    """Import the module that has the public *name*."""
    for home, names in _HOMES.items():
        if name in names:
            found: object = getattr(import_module(f"{__name__}.{home}"), name)
            globals()[name] = found
            return found
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
