"""Every vector of the senders with keys, tokens and signed components, put to the command line as a user would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hooklatch import cli

DATA = Path(__file__).parent / "data"
VECTORS: list[dict[str, Any]] = json.loads((DATA / "vectors_keys.json").read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_verify_says_what_the_vector_says(
    vector: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "key"
    key.write_text(vector["secret"])
    request = tmp_path / "request.json"
    request.write_text(json.dumps({name: vector[name] for name in ("method", "url", "headers", "body")}))
    chosen = [word for option in vector["options"] for word in ("--option", option)]
    kind = "--public-key-file" if vector["public"] else "--secret-file"
    words = ["verify", "--provider", vector["provider"], "--now", str(vector["now"]), kind, str(key)]
    status = cli.main([*words, *chosen, str(request)])
    shown = capsys.readouterr().out
    assert (status, shown.split(":")[0]) == ((0, "accepted") if vector["valid"] else (1, "refused"))
