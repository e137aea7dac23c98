"""Cloudinary: SHA-1 of body, time and API secret, without HMAC."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

CLOUDINARY = Provider(
    name="cloudinary",
    docs="https://cloudinary.com/documentation/notification_signatures",
    evidence="sdk",
    signature=Header("x-cld-signature"),
    timestamp=Header("x-cld-timestamp"),
    signed="{body}{timestamp}",
    algorithm="sha1-secret-suffix",
    encoding="hex",
    max_age=7200,
    repeats="never",
    retries=0,
    quirks="SHA-1 without HMAC: whoever can have Cloudinary sign one of two colliding bodies has both signed. Accounts "
    "set to SHA-256 sign by using(algorithm='sha256-secret-suffix').",
)
