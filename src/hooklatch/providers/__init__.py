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
    from hooklatch.providers.adyen import ADYEN
    from hooklatch.providers.alipay import ALIPAY
    from hooklatch.providers.bird import BIRD
    from hooklatch.providers.braintree import BRAINTREE
    from hooklatch.providers.cloudinary import CLOUDINARY
    from hooklatch.providers.contentful import CONTENTFUL
    from hooklatch.providers.github import GITHUB
    from hooklatch.providers.hubspot import HUBSPOT
    from hooklatch.providers.hubspot_v1 import HUBSPOT_V1
    from hooklatch.providers.hubspot_v2 import HUBSPOT_V2
    from hooklatch.providers.mailgun import MAILGUN
    from hooklatch.providers.mailgun_routes import MAILGUN_ROUTES
    from hooklatch.providers.mandrill import MANDRILL
    from hooklatch.providers.mechanic import MECHANIC
    from hooklatch.providers.midtrans import MIDTRANS
    from hooklatch.providers.momento import MOMENTO
    from hooklatch.providers.paddle_classic import PADDLE_CLASSIC
    from hooklatch.providers.patchworks import PATCHWORKS
    from hooklatch.providers.patchworks_signature import PATCHWORKS_SIGNATURE
    from hooklatch.providers.plivo import PLIVO
    from hooklatch.providers.speckle import SPECKLE
    from hooklatch.providers.speckle_before_2_12 import SPECKLE_BEFORE_2_12
    from hooklatch.providers.square import SQUARE
    from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS
    from hooklatch.providers.stripe import STRIPE
    from hooklatch.providers.svix import SVIX
    from hooklatch.providers.trello import TRELLO
    from hooklatch.providers.twilio import TWILIO

__all__ = [
    "ADYEN",
    "ALIPAY",
    "BIRD",
    "BRAINTREE",
    "CLOUDINARY",
    "CONTENTFUL",
    "GITHUB",
    "HUBSPOT",
    "HUBSPOT_V1",
    "HUBSPOT_V2",
    "MAILGUN",
    "MAILGUN_ROUTES",
    "MANDRILL",
    "MECHANIC",
    "MIDTRANS",
    "MOMENTO",
    "PADDLE_CLASSIC",
    "PATCHWORKS",
    "PATCHWORKS_SIGNATURE",
    "PLIVO",
    "SPECKLE",
    "SPECKLE_BEFORE_2_12",
    "SQUARE",
    "STANDARD_WEBHOOKS",
    "STRIPE",
    "SVIX",
    "TRELLO",
    "TWILIO",
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
