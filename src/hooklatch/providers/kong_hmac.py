"""Kong's hmac-auth: HMAC of named headers, the request line and a digest of the body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

KONG_HMAC = Provider(
    name="kong_hmac",
    docs="https://developer.konghq.com/plugins/hmac-auth/",
    evidence="published",
    signature=Header("authorization"),
    prefix="hmac ",
    scheme="kong_hmac",
    components=("request-line", "digest"),
    timestamp=Header("x-date", "date"),
    timestamp_unit="http",
    algorithm="hmac-sha256",
    encoding="base64",
    max_age=300,
    max_skew=300,
    repeats="never",
    retries=0,
    quirks="Without digest among the components the body is not proven. The username is not signed.",
)
