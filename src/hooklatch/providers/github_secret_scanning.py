"""GitHub's secret scanning partner program: ECDSA on P-256 of the raw body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

GITHUB_SECRET_SCANNING = Provider(
    name="github_secret_scanning",
    docs="https://docs.github.com/en/code-security/secret-scanning/secret-scanning-partner-program/"
    "secret-scanning-partner-program",
    evidence="documentation",
    signature=Header("github-public-key-signature"),
    key_id=Header("github-public-key-identifier"),
    algorithm="ecdsa-p256-sha256",
    encoding="base64",
    repeats="possible",
    quirks="The keys stand under https://api.github.com/meta/public_keys/secret_scanning, by their identifiers: give "
    "them as public_keys=, or a callable of the identifier that looks there.",
)
