"""HTTP Message Signatures (RFC 9421), with the choices of most senders: Ed25519 over method, path and body."""

from hooklatch.fields import Claim, Header
from hooklatch.provider import Provider

RFC9421 = Provider(
    name="rfc9421",
    docs="https://www.rfc-editor.org/rfc/rfc9421.html",
    evidence="published",
    signature=Header("signature"),
    scheme="http_signature",
    components=("@method", "@path", "content-digest"),
    timestamp=Claim("created"),
    algorithm="ed25519",
    encoding="base64",
    max_age=300,
    max_skew=60,
    repeats="never",
    retries=0,
    quirks="Not one sender but a way of signing: say what yours does with using(algorithm=..., components=...). "
    "Without content-digest among the components the body is not proven.",
)
