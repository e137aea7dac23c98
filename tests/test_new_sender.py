"""A sender that is not in the catalogue takes one file of facts, as CONTRIBUTING.md shows, and the test follows it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from hooklatch import Provider
from worlds import NOW, Endpoint

PAGE = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text()

MakeEndpoint = Callable[..., Endpoint]


def record_of_the_page() -> Provider:
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "ACME = Provider(" in block]
    namespace: dict[str, object] = {}
    exec(compile(code, "acme.py", "exec"), namespace)
    record = namespace["ACME"]
    assert isinstance(record, Provider)
    return record


def test_the_page_describes_a_sender_that_verifies_and_signs(endpoint: MakeEndpoint) -> None:
    acme = record_of_the_page()
    made = endpoint(routes={"/hook": acme.chain("a secret of sixteen")})
    genuine = acme.sign(b'{"ok":true}', secret="a secret of sixteen", id="evt_1", at=NOW, url="/hook")
    assert made.post(genuine._replace(body=b'{"ok":false}')).status == 401
    assert made.post(genuine).status == 200
    assert (made.last.id, made.last.timestamp, made.last.provider) == ("evt_1", NOW, "acme")
    assert made.post(genuine).header("hooklatch-duplicate")
    stale = acme.sign(b"{}", secret="a secret of sixteen", id="evt_2", at=NOW - 301, url="/hook")
    assert (made.post(stale).status, made.reason) == (401, "timestamp_expired")


def test_the_page_computes_its_vector_as_it_says() -> None:
    """The vector on the page was computed outside of hooklatch, and the record must agree with it."""
    acme = record_of_the_page()
    import hashlib
    import hmac

    genuine = acme.sign(b'{"ok":true}', secret="a secret of sixteen", id="evt_1", at=NOW)
    expected = hmac.new(b"a secret of sixteen", b'evt_1.1700000000.{"ok":true}', hashlib.sha256).hexdigest()
    assert genuine.headers["x-acme-signature"] == f"t=1700000000,v1={expected}"
    assert expected in PAGE
