"""hooklatch verifies inbound webhooks before a web application sees them."""

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
