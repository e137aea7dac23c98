"""The catalogue: one sender per file, facts with a source and no code.

``from hooklatch.providers import GITHUB`` imports that one file. A sender that is not here is a plain
``hooklatch.Provider`` of your own; nothing needs to be registered.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from hooklatch.errors import ConfigError

if TYPE_CHECKING:
    from hooklatch.provider import Provider
    from hooklatch.providers.ably import ABLY
    from hooklatch.providers.adyen import ADYEN
    from hooklatch.providers.adyen_header import ADYEN_HEADER
    from hooklatch.providers.aftership import AFTERSHIP
    from hooklatch.providers.airtable import AIRTABLE
    from hooklatch.providers.airwallex import AIRWALLEX
    from hooklatch.providers.alchemy import ALCHEMY
    from hooklatch.providers.alipay import ALIPAY
    from hooklatch.providers.anthropic import ANTHROPIC
    from hooklatch.providers.asana import ASANA
    from hooklatch.providers.ashby import ASHBY
    from hooklatch.providers.auth0 import AUTH0
    from hooklatch.providers.authorize_net import AUTHORIZE_NET
    from hooklatch.providers.autodesk_aps import AUTODESK_APS
    from hooklatch.providers.aws_sns import AWS_SNS
    from hooklatch.providers.azure_event_grid import AZURE_EVENT_GRID
    from hooklatch.providers.bigcommerce import BIGCOMMERCE
    from hooklatch.providers.bird import BIRD
    from hooklatch.providers.bitbucket import BITBUCKET
    from hooklatch.providers.box import BOX
    from hooklatch.providers.braintree import BRAINTREE
    from hooklatch.providers.brex import BREX
    from hooklatch.providers.buildkite import BUILDKITE
    from hooklatch.providers.bunny_stream import BUNNY_STREAM
    from hooklatch.providers.cal_com import CAL_COM
    from hooklatch.providers.calendly import CALENDLY
    from hooklatch.providers.chargebee import CHARGEBEE
    from hooklatch.providers.checkout_com import CHECKOUT_COM
    from hooklatch.providers.circle import CIRCLE
    from hooklatch.providers.circleci import CIRCLECI
    from hooklatch.providers.clerk import CLERK
    from hooklatch.providers.clickup import CLICKUP
    from hooklatch.providers.clio import CLIO
    from hooklatch.providers.cloudevents import CLOUDEVENTS
    from hooklatch.providers.cloudflare_stream import CLOUDFLARE_STREAM
    from hooklatch.providers.cloudinary import CLOUDINARY
    from hooklatch.providers.coinbase_cdp import COINBASE_CDP
    from hooklatch.providers.coinbase_commerce import COINBASE_COMMERCE
    from hooklatch.providers.commerce_layer import COMMERCE_LAYER
    from hooklatch.providers.contentful import CONTENTFUL
    from hooklatch.providers.courier import COURIER
    from hooklatch.providers.cursor import CURSOR
    from hooklatch.providers.customer_io import CUSTOMER_IO
    from hooklatch.providers.datasaur import DATASAUR
    from hooklatch.providers.discord import DISCORD
    from hooklatch.providers.discourse import DISCOURSE
    from hooklatch.providers.docusign import DOCUSIGN
    from hooklatch.providers.dodo_payments import DODO_PAYMENTS
    from hooklatch.providers.dropbox import DROPBOX
    from hooklatch.providers.dwolla import DWOLLA
    from hooklatch.providers.easypost import EASYPOST
    from hooklatch.providers.elevenlabs import ELEVENLABS
    from hooklatch.providers.expo import EXPO
    from hooklatch.providers.fastspring import FASTSPRING
    from hooklatch.providers.finch import FINCH
    from hooklatch.providers.fireblocks import FIREBLOCKS
    from hooklatch.providers.fireblocks_legacy import FIREBLOCKS_LEGACY
    from hooklatch.providers.fireflies import FIREFLIES
    from hooklatch.providers.flinks import FLINKS
    from hooklatch.providers.forgejo import FORGEJO
    from hooklatch.providers.front import FRONT
    from hooklatch.providers.gemini import GEMINI
    from hooklatch.providers.getstream import GETSTREAM
    from hooklatch.providers.gitea import GITEA
    from hooklatch.providers.github import GITHUB
    from hooklatch.providers.github_secret_scanning import GITHUB_SECRET_SCANNING
    from hooklatch.providers.gitlab import GITLAB
    from hooklatch.providers.gitlab_signing import GITLAB_SIGNING
    from hooklatch.providers.gocardless import GOCARDLESS
    from hooklatch.providers.gogs import GOGS
    from hooklatch.providers.goody import GOODY
    from hooklatch.providers.google_chat import GOOGLE_CHAT
    from hooklatch.providers.google_pubsub import GOOGLE_PUBSUB
    from hooklatch.providers.heroku import HEROKU
    from hooklatch.providers.hookdeck import HOOKDECK
    from hooklatch.providers.hubspot import HUBSPOT
    from hooklatch.providers.hubspot_v1 import HUBSPOT_V1
    from hooklatch.providers.hubspot_v2 import HUBSPOT_V2
    from hooklatch.providers.huggingface import HUGGINGFACE
    from hooklatch.providers.imagekit import IMAGEKIT
    from hooklatch.providers.increase import INCREASE
    from hooklatch.providers.intercom import INTERCOM
    from hooklatch.providers.jira import JIRA
    from hooklatch.providers.knock import KNOCK
    from hooklatch.providers.kong_hmac import KONG_HMAC
    from hooklatch.providers.launchdarkly import LAUNCHDARKLY
    from hooklatch.providers.lemonsqueezy import LEMONSQUEEZY
    from hooklatch.providers.line import LINE
    from hooklatch.providers.linear import LINEAR
    from hooklatch.providers.linkedin import LINKEDIN
    from hooklatch.providers.lithic import LITHIC
    from hooklatch.providers.logto import LOGTO
    from hooklatch.providers.mailchimp import MAILCHIMP
    from hooklatch.providers.mailgun import MAILGUN
    from hooklatch.providers.mailgun_routes import MAILGUN_ROUTES
    from hooklatch.providers.mandrill import MANDRILL
    from hooklatch.providers.mechanic import MECHANIC
    from hooklatch.providers.meta import META
    from hooklatch.providers.midtrans import MIDTRANS
    from hooklatch.providers.modern_treasury import MODERN_TREASURY
    from hooklatch.providers.mollie import MOLLIE
    from hooklatch.providers.momento import MOMENTO
    from hooklatch.providers.monday import MONDAY
    from hooklatch.providers.mongodb_atlas import MONGODB_ATLAS
    from hooklatch.providers.msgraph import MSGRAPH
    from hooklatch.providers.msteams_outgoing import MSTEAMS_OUTGOING
    from hooklatch.providers.mux import MUX
    from hooklatch.providers.netlify import NETLIFY
    from hooklatch.providers.notion import NOTION
    from hooklatch.providers.nylas import NYLAS
    from hooklatch.providers.okta import OKTA
    from hooklatch.providers.onfido import ONFIDO
    from hooklatch.providers.openai import OPENAI
    from hooklatch.providers.outline import OUTLINE
    from hooklatch.providers.paddle import PADDLE
    from hooklatch.providers.paddle_classic import PADDLE_CLASSIC
    from hooklatch.providers.pagerduty import PAGERDUTY
    from hooklatch.providers.patchworks import PATCHWORKS
    from hooklatch.providers.patchworks_signature import PATCHWORKS_SIGNATURE
    from hooklatch.providers.paypal import PAYPAL
    from hooklatch.providers.paystack import PAYSTACK
    from hooklatch.providers.persona import PERSONA
    from hooklatch.providers.pipedrive import PIPEDRIVE
    from hooklatch.providers.plaid import PLAID
    from hooklatch.providers.plivo import PLIVO
    from hooklatch.providers.polar import POLAR
    from hooklatch.providers.postmark import POSTMARK
    from hooklatch.providers.postmark_basic import POSTMARK_BASIC
    from hooklatch.providers.pusher import PUSHER
    from hooklatch.providers.quickbooks import QUICKBOOKS
    from hooklatch.providers.razorpay import RAZORPAY
    from hooklatch.providers.recharge import RECHARGE
    from hooklatch.providers.render import RENDER
    from hooklatch.providers.replicate import REPLICATE
    from hooklatch.providers.resend import RESEND
    from hooklatch.providers.retell import RETELL
    from hooklatch.providers.revolut import REVOLUT
    from hooklatch.providers.rfc9421 import RFC9421
    from hooklatch.providers.ringcentral import RINGCENTRAL
    from hooklatch.providers.rootly import ROOTLY
    from hooklatch.providers.sanity import SANITY
    from hooklatch.providers.segment import SEGMENT
    from hooklatch.providers.sendcloud import SENDCLOUD
    from hooklatch.providers.sendgrid import SENDGRID
    from hooklatch.providers.sentry import SENTRY
    from hooklatch.providers.shopify import SHOPIFY
    from hooklatch.providers.shopify_events import SHOPIFY_EVENTS
    from hooklatch.providers.shopline import SHOPLINE
    from hooklatch.providers.signature_api import SIGNATURE_API
    from hooklatch.providers.slack import SLACK
    from hooklatch.providers.smartcar import SMARTCAR
    from hooklatch.providers.speckle import SPECKLE
    from hooklatch.providers.speckle_before_2_12 import SPECKLE_BEFORE_2_12
    from hooklatch.providers.square import SQUARE
    from hooklatch.providers.squarespace import SQUARESPACE
    from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS
    from hooklatch.providers.standard_webhooks_v1a import STANDARD_WEBHOOKS_V1A
    from hooklatch.providers.starling import STARLING
    from hooklatch.providers.stripe import STRIPE
    from hooklatch.providers.supabase import SUPABASE
    from hooklatch.providers.svix import SVIX
    from hooklatch.providers.svix_v1a import SVIX_V1A
    from hooklatch.providers.tally import TALLY
    from hooklatch.providers.telegram import TELEGRAM
    from hooklatch.providers.telnyx import TELNYX
    from hooklatch.providers.terraform_cloud import TERRAFORM_CLOUD
    from hooklatch.providers.tiktok import TIKTOK
    from hooklatch.providers.travis import TRAVIS
    from hooklatch.providers.trello import TRELLO
    from hooklatch.providers.twilio import TWILIO
    from hooklatch.providers.twitch import TWITCH
    from hooklatch.providers.typeform import TYPEFORM
    from hooklatch.providers.uber_eats import UBER_EATS
    from hooklatch.providers.vercel import VERCEL
    from hooklatch.providers.viber import VIBER
    from hooklatch.providers.vonage import VONAGE
    from hooklatch.providers.webflow import WEBFLOW
    from hooklatch.providers.whop import WHOP
    from hooklatch.providers.wise import WISE
    from hooklatch.providers.woocommerce import WOOCOMMERCE
    from hooklatch.providers.workos import WORKOS
    from hooklatch.providers.x_twitter import X_TWITTER
    from hooklatch.providers.xero import XERO
    from hooklatch.providers.zendesk import ZENDESK
    from hooklatch.providers.zitadel import ZITADEL
    from hooklatch.providers.zoom import ZOOM

__all__ = [
    "ABLY",
    "ADYEN",
    "ADYEN_HEADER",
    "AFTERSHIP",
    "AIRTABLE",
    "AIRWALLEX",
    "ALCHEMY",
    "ALIPAY",
    "ANTHROPIC",
    "ASANA",
    "ASHBY",
    "AUTH0",
    "AUTHORIZE_NET",
    "AUTODESK_APS",
    "AWS_SNS",
    "AZURE_EVENT_GRID",
    "BIGCOMMERCE",
    "BIRD",
    "BITBUCKET",
    "BOX",
    "BRAINTREE",
    "BREX",
    "BUILDKITE",
    "BUNNY_STREAM",
    "CALENDLY",
    "CAL_COM",
    "CHARGEBEE",
    "CHECKOUT_COM",
    "CIRCLE",
    "CIRCLECI",
    "CLERK",
    "CLICKUP",
    "CLIO",
    "CLOUDEVENTS",
    "CLOUDFLARE_STREAM",
    "CLOUDINARY",
    "COINBASE_CDP",
    "COINBASE_COMMERCE",
    "COMMERCE_LAYER",
    "CONTENTFUL",
    "COURIER",
    "CURSOR",
    "CUSTOMER_IO",
    "DATASAUR",
    "DISCORD",
    "DISCOURSE",
    "DOCUSIGN",
    "DODO_PAYMENTS",
    "DROPBOX",
    "DWOLLA",
    "EASYPOST",
    "ELEVENLABS",
    "EXPO",
    "FASTSPRING",
    "FINCH",
    "FIREBLOCKS",
    "FIREBLOCKS_LEGACY",
    "FIREFLIES",
    "FLINKS",
    "FORGEJO",
    "FRONT",
    "GEMINI",
    "GETSTREAM",
    "GITEA",
    "GITHUB",
    "GITHUB_SECRET_SCANNING",
    "GITLAB",
    "GITLAB_SIGNING",
    "GOCARDLESS",
    "GOGS",
    "GOODY",
    "GOOGLE_CHAT",
    "GOOGLE_PUBSUB",
    "HEROKU",
    "HOOKDECK",
    "HUBSPOT",
    "HUBSPOT_V1",
    "HUBSPOT_V2",
    "HUGGINGFACE",
    "IMAGEKIT",
    "INCREASE",
    "INTERCOM",
    "JIRA",
    "KNOCK",
    "KONG_HMAC",
    "LAUNCHDARKLY",
    "LEMONSQUEEZY",
    "LINE",
    "LINEAR",
    "LINKEDIN",
    "LITHIC",
    "LOGTO",
    "MAILCHIMP",
    "MAILGUN",
    "MAILGUN_ROUTES",
    "MANDRILL",
    "MECHANIC",
    "META",
    "MIDTRANS",
    "MODERN_TREASURY",
    "MOLLIE",
    "MOMENTO",
    "MONDAY",
    "MONGODB_ATLAS",
    "MSGRAPH",
    "MSTEAMS_OUTGOING",
    "MUX",
    "NETLIFY",
    "NOTION",
    "NYLAS",
    "OKTA",
    "ONFIDO",
    "OPENAI",
    "OUTLINE",
    "PADDLE",
    "PADDLE_CLASSIC",
    "PAGERDUTY",
    "PATCHWORKS",
    "PATCHWORKS_SIGNATURE",
    "PAYPAL",
    "PAYSTACK",
    "PERSONA",
    "PIPEDRIVE",
    "PLAID",
    "PLIVO",
    "POLAR",
    "POSTMARK",
    "POSTMARK_BASIC",
    "PUSHER",
    "QUICKBOOKS",
    "RAZORPAY",
    "RECHARGE",
    "RENDER",
    "REPLICATE",
    "RESEND",
    "RETELL",
    "REVOLUT",
    "RFC9421",
    "RINGCENTRAL",
    "ROOTLY",
    "SANITY",
    "SEGMENT",
    "SENDCLOUD",
    "SENDGRID",
    "SENTRY",
    "SHOPIFY",
    "SHOPIFY_EVENTS",
    "SHOPLINE",
    "SIGNATURE_API",
    "SLACK",
    "SMARTCAR",
    "SPECKLE",
    "SPECKLE_BEFORE_2_12",
    "SQUARE",
    "SQUARESPACE",
    "STANDARD_WEBHOOKS",
    "STANDARD_WEBHOOKS_V1A",
    "STARLING",
    "STRIPE",
    "SUPABASE",
    "SVIX",
    "SVIX_V1A",
    "TALLY",
    "TELEGRAM",
    "TELNYX",
    "TERRAFORM_CLOUD",
    "TIKTOK",
    "TRAVIS",
    "TRELLO",
    "TWILIO",
    "TWITCH",
    "TYPEFORM",
    "UBER_EATS",
    "VERCEL",
    "VIBER",
    "VONAGE",
    "WEBFLOW",
    "WHOP",
    "WISE",
    "WOOCOMMERCE",
    "WORKOS",
    "XERO",
    "X_TWITTER",
    "ZENDESK",
    "ZITADEL",
    "ZOOM",
]


ALSO: Final = {
    "auth0_log_stream": "auth0",
    "azure_eventgrid": "azure_event_grid",
    "cloudevents_bearer": "cloudevents",
    "gitlab_token": "gitlab",
    "supabase_auth_hook": "supabase",
}
"""Longer names that some senders go by, and the record that each means."""


def names() -> tuple[str, ...]:
    """Return the names of all senders in the catalogue, sorted, without importing their files."""
    return tuple(sorted(record.lower() for record in __all__))


def provider(name: str) -> Provider:
    """Return the record called *name* (lower case); raise ``ConfigError`` for an unknown one."""
    name = ALSO.get(name, name)
    if name not in names():
        msg = f"no sender is called {name!r}; 'hooklatch providers' lists those that are known"
        raise ConfigError(msg)
    record: Provider = getattr(import_module(f"{__name__}.{name}"), name.upper())
    return record


def __getattr__(attribute: str) -> Provider:
    """Import the one file that holds the record *attribute* (upper case)."""
    if attribute.isupper() and attribute.lower() in {*names(), *ALSO}:
        return provider(attribute.lower())
    msg = f"module {__name__!r} has no attribute {attribute!r}"
    raise AttributeError(msg)
