"""The verdict itself: whether one of the active keys made one of the offered signatures.

Several offers and several keys are all tried. What the content is called under *every* active key goes into the
claim, so that a delivery stays known while secrets are added, reordered or dropped.
"""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Final

from hooklatch.errors import SignatureMalformed, SignatureMismatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hooklatch.types import ActiveKey, Facts, Hash

MAX_COSTLY: Final = 16
"""Public-key checks that one request may cause."""


def judge(facts: Facts, states: Sequence[Hash], offers: Sequence[bytes]) -> None:
    """Demand that a key made one of the *offers*; note which, and what the content is called under every key.

    *states*: a finished hash per signed content and key: all keys of the first content, then those of the next.
    Raises ``SignatureMismatch``, or ``SignatureMalformed`` where judging would cost too much.
    """
    keys = facts.keys
    count = len(keys)
    if keys[0].key.costly and len(states) * len(offers) > MAX_COSTLY:
        msg = f"{len(offers)} signatures, {count} public keys and {len(states) // count} signed contents"
        raise SignatureMalformed(msg)
    names: list[bytes] = []
    match: ActiveKey | None = None
    for running, active in zip(states, cycle(keys), strict=False):
        key = active.key
        digest = key.digest(running)
        names.append(key.name(digest))
        if match is None and key.accepts(digest, offers):
            match = active
        if len(names) == count:
            if match is not None:
                facts.key_index = match.place
                facts.test = match.test
                facts.names = tuple(names)
                return
            names = []
    raise SignatureMismatch
