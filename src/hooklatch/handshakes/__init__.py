"""Requests that a sender makes before or beside its deliveries, by name: a mechanism recognises one and answers it.

``Provider(handshake="echo_query name=challenge")`` names one and its parameters; the file that bears the name is
imported when a route asks for it (``handshake=True``, or the value that this sender's handshake must show). A handshake
never reaches the application, takes no claim, and sets or changes no key.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, cast

from hooklatch.errors import ConfigError
from hooklatch.secrets import PENDING
from hooklatch.types import NO_FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hooklatch.chain import Options
    from hooklatch.errors import Handshake
    from hooklatch.provider import Provider
    from hooklatch.types import Facts, Head

__all__ = ["MECHANISMS", "PENDING", "Mechanism", "Setting", "named", "prepared", "sentence"]

MECHANISMS: Final = (
    "challenge_in_body", "crc", "echo_header", "echo_query", "hook_secret", "options", "ping", "probe",
)  # fmt: skip
"""Names of mechanisms; each is a module of this folder and has its class as ``MECHANISM``."""


class Setting(NamedTuple):
    """What a mechanism knows before any request comes."""

    record: Provider
    methods: Sequence[str]
    """What deliveries come with on this route."""
    given: str = ""
    """The route's ``handshake=`` where that is a text."""
    on_secret: Callable[[str], object] | None = None
    expect: Mapping[str, str] = NO_FIELDS
    """The route's ``expect=``."""


class Mechanism(Protocol):
    """One kind of handshake, made of a ``Setting`` and the parameters in the record. It holds nothing of a request."""

    signed: bool = False
    """Whether the sender signs it as it signs deliveries: then it is answered after the chain has proven it."""
    unsigned: bool = True
    """Whether it comes without a signature: then it is answered in place of the chain."""
    reads: bool = False
    """Whether the body is looked at; a body that nobody looks at must be empty."""
    wants: str = ""
    """What the route must say in ``handshake="..."``, in words; empty where ``True`` is enough."""
    takes: bool = False
    """Whether the route may say something, though it need not."""
    pending: bool = False
    """Whether it brings the key itself, so that the route must be made with ``PENDING``."""

    def recognises(self, head: Head, /) -> bool:
        """Return whether a request could be this handshake, by its head alone; raise an ``Answer``."""

    def answer(self, facts: Facts, body: bytes, /) -> Handshake | None:
        """Return the answer, None where the *body* (bytes, at most 16 KiB) says that it is no handshake.

        ``facts.keys`` are in force; ``facts.key_index`` is the one that proved a signed handshake. Raises
        ``HandshakeMalformed`` for what must not be echoed or signed, ``HandshakeRefused`` for what shows a wrong value.
        """


class _Module(Protocol):
    @property
    def MECHANISM(self) -> Callable[..., Mechanism]: ...  # noqa: N802 - the name it has in the modules


def named(text: str) -> tuple[str, dict[str, str]]:
    """Return name and parameters of a record's ``handshake`` *text*; raise ``ConfigError`` for no known mechanism."""
    name, *rest = text.split()
    if name not in MECHANISMS or not all("=" in one for one in rest):
        msg = f"handshake={text!r}: write 'NAME parameter=value ...' with one of {', '.join(MECHANISMS)}"
        raise ConfigError(msg)
    return name, {one.partition("=")[0]: one.partition("=")[2] for one in rest}


def prepared(record: Provider, options: Options, methods: Sequence[str], *, pending: bool) -> Mechanism | None:
    """Return what answers handshakes on a route, None where it asks for none; raise ``ConfigError``.

    *pending*: whether the route was made with ``PENDING`` in the place of secrets.
    """
    given = options.get("handshake", False)
    on_secret = options.get("on_secret")
    if not isinstance(given, bool | str) or given == "":
        msg = f"{record.name}: handshake={given!r} must be True, or the text that this sender's handshake shows"
        raise ConfigError(msg)
    if given is False:
        if pending or on_secret is not None:
            msg = f"{record.name}: PENDING and on_secret= are for routes with handshake=True"
            raise ConfigError(msg)
        return None
    if not record.handshake:
        msg = f"{record.name}: this record knows of no handshake; leave handshake= out"
        raise ConfigError(msg)
    name, parameters = named(record.handshake)
    text = given if isinstance(given, str) else ""
    setting = Setting(record, methods, text, on_secret, options.get("expect", NO_FIELDS))
    try:
        made = _module(name).MECHANISM(setting, **parameters)
    except TypeError as bad:
        msg = f"{record.name}: handshake={record.handshake!r} has a parameter too many or too few: {bad}"
        raise ConfigError(msg) from bad
    if made.wants and not setting.given:
        msg = f"{record.name}: handshake='...' must be {made.wants}"
        raise ConfigError(msg)
    if setting.given and not made.wants and not made.takes:
        msg = f"{record.name}: this sender's handshake shows no text; say handshake=True"
        raise ConfigError(msg)
    if made.pending != pending or made.pending != (on_secret is not None):
        msg = (
            f"{record.name}: this handshake brings the secret. Make the route with PENDING and on_secret= until you "
            "have it, and without handshake= from then on: a keyed route takes no other key from anybody"
            if made.pending
            else f"{record.name}: PENDING and on_secret= are for senders whose handshake brings the secret"
        )
        raise ConfigError(msg)
    return made


def sentence(text: str) -> str:
    """Return in one sentence what the mechanism of a record's ``handshake`` *text* does."""
    return str(_module(named(text)[0]).__doc__).split("\n\n")[0].replace("\n", " ")


def _module(name: str) -> _Module:
    return cast("_Module", import_module(f"{__name__}.{name}"))
