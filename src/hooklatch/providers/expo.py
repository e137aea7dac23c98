"""Expo EAS: HMAC-SHA1 of the raw body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

EXPO = Provider(
    name="expo",
    docs="https://docs.expo.dev/eas/webhooks",
    evidence="documentation",
    signature=Header("expo-signature"),
    prefix="sha1=",
    algorithm="hmac-sha1",
    repeats="never",
    quirks="Tries a few more times, with growing pauses, unless the answer is 200 to 399.",
)
