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
    from hooklatch.providers.aws_sns import AWS_SNS
    from hooklatch.providers.circle import CIRCLE
    from hooklatch.providers.discord import DISCORD
    from hooklatch.providers.fireblocks import FIREBLOCKS
    from hooklatch.providers.fireblocks_legacy import FIREBLOCKS_LEGACY
    from hooklatch.providers.github import GITHUB
    from hooklatch.providers.github_secret_scanning import GITHUB_SECRET_SCANNING
    from hooklatch.providers.google_chat import GOOGLE_CHAT
    from hooklatch.providers.google_pubsub import GOOGLE_PUBSUB
    from hooklatch.providers.kong_hmac import KONG_HMAC
    from hooklatch.providers.mechanic import MECHANIC
    from hooklatch.providers.momento import MOMENTO
    from hooklatch.providers.monday import MONDAY
    from hooklatch.providers.netlify import NETLIFY
    from hooklatch.providers.paddle_classic import PADDLE_CLASSIC
    from hooklatch.providers.patchworks import PATCHWORKS
    from hooklatch.providers.patchworks_signature import PATCHWORKS_SIGNATURE
    from hooklatch.providers.paypal import PAYPAL
    from hooklatch.providers.plaid import PLAID
    from hooklatch.providers.rfc9421 import RFC9421
    from hooklatch.providers.sendgrid import SENDGRID
    from hooklatch.providers.speckle import SPECKLE
    from hooklatch.providers.speckle_before_2_12 import SPECKLE_BEFORE_2_12
    from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS
    from hooklatch.providers.standard_webhooks_v1a import STANDARD_WEBHOOKS_V1A
    from hooklatch.providers.starling import STARLING
    from hooklatch.providers.stripe import STRIPE
    from hooklatch.providers.svix import SVIX
    from hooklatch.providers.svix_v1a import SVIX_V1A
    from hooklatch.providers.telnyx import TELNYX
    from hooklatch.providers.travis import TRAVIS
    from hooklatch.providers.vonage import VONAGE
    from hooklatch.providers.wise import WISE

__all__ = [
    "AWS_SNS",
    "CIRCLE",
    "DISCORD",
    "FIREBLOCKS",
    "FIREBLOCKS_LEGACY",
    "GITHUB",
    "GITHUB_SECRET_SCANNING",
    "GOOGLE_CHAT",
    "GOOGLE_PUBSUB",
    "KONG_HMAC",
    "MECHANIC",
    "MOMENTO",
    "MONDAY",
    "NETLIFY",
    "PADDLE_CLASSIC",
    "PATCHWORKS",
    "PATCHWORKS_SIGNATURE",
    "PAYPAL",
    "PLAID",
    "RFC9421",
    "SENDGRID",
    "SPECKLE",
    "SPECKLE_BEFORE_2_12",
    "STANDARD_WEBHOOKS",
    "STANDARD_WEBHOOKS_V1A",
    "STARLING",
    "STRIPE",
    "SVIX",
    "SVIX_V1A",
    "TELNYX",
    "TRAVIS",
    "VONAGE",
    "WISE",
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
