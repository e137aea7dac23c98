"""Travis CI: RSA with SHA-1 of the form field ``payload``."""

from hooklatch.fields import Header
from hooklatch.provider import Provider
from hooklatch.remote_keys import Published

TRAVIS = Provider(
    name="travis",
    docs="https://docs.travis-ci.com/user/notifications/#verifying-webhook-requests",
    evidence="documentation",
    signature=Header("signature"),
    signed="{field.payload}",
    fields_in="form",
    algorithm="rsa-pkcs1v15-sha1",
    encoding="base64",
    published=Published(
        url="https://api.travis-ci.com/config", within=("config", "notifications", "webhook", "public_key")
    ),
    unsigned={"repository": Header("travis-repo-slug")},
    repeats="possible",
    max_body=1 << 18,
    quirks="webhook.fields['payload'] is the JSON text that was signed.",
)
