"""What ``end_to_end.py`` has servers serve: ``app``, as the environment says."""

from __future__ import annotations

import logging
import os
from typing import Any

import floor
import receivers
import senders

KIND, VARIANT = os.environ["BENCHMARK_KIND"], os.environ["BENCHMARK_VARIANT"]
WORLD = "wsgi" if KIND in {"raw WSGI", "Flask"} else "asgi"

logging.getLogger("hooklatch").setLevel(logging.ERROR)


def made(*check: Any) -> Any:  # noqa: ANN401 - an application of either world
    """Return the application, which makes the *check* in its handler, if any."""
    make: Any = {
        "raw ASGI": receivers.RawASGI,
        "raw WSGI": receivers.RawWSGI,
        "FastAPI": receivers.fastapi,
        "Flask": receivers.flask,
    }[KIND]
    return make(*check)


app: Any
if VARIANT == "none":
    app = made()
elif VARIANT == "floor":
    app = (floor.FloorWSGI if WORLD == "wsgi" else floor.FloorASGI)(made(), senders.SECRET)
elif VARIANT in receivers.PEERS:
    scheme, peer = receivers.PEERS[VARIANT]
    app = made(peer(senders.SECRET), scheme.names)
else:
    app = receivers.latched(WORLD, made(), VARIANT)
