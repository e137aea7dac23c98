"""Autodesk Platform Services: HMAC-SHA1 of the raw body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

AUTODESK_APS = Provider(
    name="autodesk_aps",
    docs="https://aps.autodesk.com/en/docs/webhooks/v1/overview/",
    evidence="unconfirmed",
    signature=Header("x-adsk-signature"),
    prefix="sha1hash=",
    algorithm="hmac-sha1",
    repeats="never",
    quirks="Sends no signature before a secret token was set for the application.",
)
