"""The catalogue: one sender per file, facts with a source and no code.

``from hooklatch.providers import GITHUB`` imports that one file. A sender that is not here is a plain
``hooklatch.Provider`` of your own; nothing needs to be registered.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from hooklatch.errors import ConfigError

if TYPE_CHECKING:
    from hooklatch.provider import Provider
    from hooklatch.providers.github import GITHUB
    from hooklatch.providers.mechanic import MECHANIC
    from hooklatch.providers.momento import MOMENTO
    from hooklatch.providers.patchworks import PATCHWORKS
    from hooklatch.providers.patchworks_signature import PATCHWORKS_SIGNATURE
    from hooklatch.providers.speckle import SPECKLE
    from hooklatch.providers.speckle_before_2_12 import SPECKLE_BEFORE_2_12
    from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS
    from hooklatch.providers.stripe import STRIPE
    from hooklatch.providers.svix import SVIX

__all__ = [
    "GITHUB",
    "MECHANIC",
    "MOMENTO",
    "PATCHWORKS",
    "PATCHWORKS_SIGNATURE",
    "SPECKLE",
    "SPECKLE_BEFORE_2_12",
    "STANDARD_WEBHOOKS",
    "STRIPE",
    "SVIX",
    "names",
    "provider",
]


def names() -> tuple[str, ...]:
    """Return the names of all senders in the catalogue, sorted, without importing their files."""
    return tuple(sorted(module.name for module in iter_modules(__path__)))


def provider(name: str) -> Provider:
    """Return the record called *name* (lower case); raise ``ConfigError`` for an unknown one."""
    if name not in names():
        msg = f"no sender is called {name!r}; 'hooklatch providers' lists those that are known"
        raise ConfigError(msg)
    record: Provider = getattr(import_module(f"{__name__}.{name}"), name.upper())
    return record


def __getattr__(attribute: str) -> Provider:
    """Import the one file that holds the record *attribute* (upper case)."""
    if attribute.isupper() and attribute.lower() in names():
        return provider(attribute.lower())
    msg = f"module {__name__!r} has no attribute {attribute!r}"
    raise AttributeError(msg)
