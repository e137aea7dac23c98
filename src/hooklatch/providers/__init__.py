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
    from hooklatch.providers.airtable import AIRTABLE
    from hooklatch.providers.alchemy import ALCHEMY
    from hooklatch.providers.asana import ASANA
    from hooklatch.providers.ashby import ASHBY
    from hooklatch.providers.authorize_net import AUTHORIZE_NET
    from hooklatch.providers.autodesk_aps import AUTODESK_APS
    from hooklatch.providers.bitbucket import BITBUCKET
    from hooklatch.providers.bunny_stream import BUNNY_STREAM
    from hooklatch.providers.cal_com import CAL_COM
    from hooklatch.providers.checkout_com import CHECKOUT_COM
    from hooklatch.providers.circleci import CIRCLECI
    from hooklatch.providers.clickup import CLICKUP
    from hooklatch.providers.clio import CLIO
    from hooklatch.providers.coinbase_commerce import COINBASE_COMMERCE
    from hooklatch.providers.cursor import CURSOR
    from hooklatch.providers.datasaur import DATASAUR
    from hooklatch.providers.discourse import DISCOURSE
    from hooklatch.providers.dropbox import DROPBOX
    from hooklatch.providers.dwolla import DWOLLA
    from hooklatch.providers.expo import EXPO
    from hooklatch.providers.fireflies import FIREFLIES
    from hooklatch.providers.flinks import FLINKS
    from hooklatch.providers.forgejo import FORGEJO
    from hooklatch.providers.gitea import GITEA
    from hooklatch.providers.github import GITHUB
    from hooklatch.providers.gocardless import GOCARDLESS
    from hooklatch.providers.gogs import GOGS
    from hooklatch.providers.intercom import INTERCOM
    from hooklatch.providers.jira import JIRA
    from hooklatch.providers.launchdarkly import LAUNCHDARKLY
    from hooklatch.providers.lemonsqueezy import LEMONSQUEEZY
    from hooklatch.providers.linear import LINEAR
    from hooklatch.providers.logto import LOGTO
    from hooklatch.providers.mechanic import MECHANIC
    from hooklatch.providers.meta import META
    from hooklatch.providers.modern_treasury import MODERN_TREASURY
    from hooklatch.providers.mollie import MOLLIE
    from hooklatch.providers.momento import MOMENTO
    from hooklatch.providers.notion import NOTION
    from hooklatch.providers.nylas import NYLAS
    from hooklatch.providers.pagerduty import PAGERDUTY
    from hooklatch.providers.patchworks import PATCHWORKS
    from hooklatch.providers.patchworks_signature import PATCHWORKS_SIGNATURE
    from hooklatch.providers.paystack import PAYSTACK
    from hooklatch.providers.pusher import PUSHER
    from hooklatch.providers.razorpay import RAZORPAY
    from hooklatch.providers.segment import SEGMENT
    from hooklatch.providers.sentry import SENTRY
    from hooklatch.providers.shopline import SHOPLINE
    from hooklatch.providers.smartcar import SMARTCAR
    from hooklatch.providers.speckle import SPECKLE
    from hooklatch.providers.speckle_before_2_12 import SPECKLE_BEFORE_2_12
    from hooklatch.providers.squarespace import SQUARESPACE
    from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS
    from hooklatch.providers.stripe import STRIPE
    from hooklatch.providers.svix import SVIX
    from hooklatch.providers.terraform_cloud import TERRAFORM_CLOUD
    from hooklatch.providers.uber_eats import UBER_EATS
    from hooklatch.providers.vercel import VERCEL
    from hooklatch.providers.viber import VIBER

__all__ = [
    "AIRTABLE",
    "ALCHEMY",
    "ASANA",
    "ASHBY",
    "AUTHORIZE_NET",
    "AUTODESK_APS",
    "BITBUCKET",
    "BUNNY_STREAM",
    "CAL_COM",
    "CHECKOUT_COM",
    "CIRCLECI",
    "CLICKUP",
    "CLIO",
    "COINBASE_COMMERCE",
    "CURSOR",
    "DATASAUR",
    "DISCOURSE",
    "DROPBOX",
    "DWOLLA",
    "EXPO",
    "FIREFLIES",
    "FLINKS",
    "FORGEJO",
    "GITEA",
    "GITHUB",
    "GOCARDLESS",
    "GOGS",
    "INTERCOM",
    "JIRA",
    "LAUNCHDARKLY",
    "LEMONSQUEEZY",
    "LINEAR",
    "LOGTO",
    "MECHANIC",
    "META",
    "MODERN_TREASURY",
    "MOLLIE",
    "MOMENTO",
    "NOTION",
    "NYLAS",
    "PAGERDUTY",
    "PATCHWORKS",
    "PATCHWORKS_SIGNATURE",
    "PAYSTACK",
    "PUSHER",
    "RAZORPAY",
    "SEGMENT",
    "SENTRY",
    "SHOPLINE",
    "SMARTCAR",
    "SPECKLE",
    "SPECKLE_BEFORE_2_12",
    "SQUARESPACE",
    "STANDARD_WEBHOOKS",
    "STRIPE",
    "SVIX",
    "TERRAFORM_CLOUD",
    "UBER_EATS",
    "VERCEL",
    "VIBER",
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
