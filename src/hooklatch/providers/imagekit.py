"""ImageKit: Standard Webhooks with the secret's text as the key, whsec_ included."""

from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS

IMAGEKIT = STANDARD_WEBHOOKS.using(
    name="imagekit",
    docs="https://github.com/imagekit-developer/imagekit-python/blob/master/src/imagekitio/resources/webhooks.py",
    evidence="sdk",
    repeats="never",
    key_encoding="utf-8",
    retries=86_400,
    quirks="The secret begins with whsec_ and is used as text all the same. A day of retries is assumed.",
)
