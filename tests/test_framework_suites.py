"""The frameworks' own tests of requests, answers and middleware, with a door around every application they make.

They come from the source distributions of the installed versions and are run three times: without a door, with one that
has nothing to judge, and with one that judges every path and believes everybody, so that every body is captured and put
back. What passes without a door must pass behind it; EXCEPTIONS says what does not, and why.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SUITES = {
    "starlette": [
        "test_applications.py",
        "test_background.py",
        "test_endpoints.py",
        "test_exceptions.py",
        "test_formparsers.py",
        "test_requests.py",
        "test_responses.py",
        "test_routing.py",
        "test_websockets.py",
        "middleware",
    ],
    "flask": [
        "test_async.py",
        "test_basic.py",
        "test_blueprints.py",
        "test_helpers.py",
        "test_json.py",
        "test_reqctx.py",
        "test_request.py",
        "test_session_interface.py",
        "test_signals.py",
        "test_testing.py",
        "test_user_error_handler.py",
        "test_views.py",
    ],
    "werkzeug": [
        "test_exceptions.py",
        "test_formparser.py",
        "test_test.py",
        "test_wrappers.py",
        "test_wsgi.py",
        "middleware",
    ],
}

CYCLE = "an application with anything assigned to its wsgi_app refers to itself, and waits for the garbage collector"
WEBSOCKET = "below a route a websocket is closed: nobody verifies it"
LENGTH = "a Content-Length that is not the body's length is 400 before the application counts"
STREAM = "the test reads its own client's stream once more, which the door has read"
ODD_PATH = "a path with a blank, or with // where it is mounted, could mean another place: on a route that is 400"

EXCEPTIONS: dict[tuple[str, str], dict[str, str]] = {
    ("flask", "passing"): {"test_basic.py::test_app_freed_on_zero_refcount": CYCLE},
    ("flask", "judging"): {
        "test_basic.py::test_app_freed_on_zero_refcount": CYCLE,
        "test_basic.py::test_routing_redirect_debugging": STREAM,
    },
    ("werkzeug", "judging"): {
        "test_test.py::test_follow_redirect_body": STREAM,
        "test_wrappers.py::test_base_request": STREAM,
        "test_test.py::test_follow_redirect_non_root_base_url": ODD_PATH,
        "test_test.py::test_raw_request_uri": ODD_PATH,
    },
    ("starlette", "judging"): {
        "test_responses.py::test_quoting_redirect_response": ODD_PATH,
        "test_routing.py::test_url_for_with_root_path_ending_with_slash": ODD_PATH,
        "test_routing.py::test_protocol_switch": WEBSOCKET,
        "test_routing.py::test_standalone_ws_route_matches": WEBSOCKET,
        "test_routing.py::test_partial_async_ws_endpoint": WEBSOCKET,
        "websocket": WEBSOCKET,
        "middleware/test_base.py::test_custom_middleware": WEBSOCKET,
        "middleware/test_errors.py::test_debug_not_http": WEBSOCKET,
        "middleware/test_body_limit.py::test_received_bytes_are_counted_with_unreliable_content_length": LENGTH,
    },
}


@pytest.fixture(scope="module", params=SUITES)
def suite(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Return a framework's name, and the folder of its source distribution."""
    name = str(request.param)
    folder = tmp_path_factory.mktemp(name)
    wanted = f"{name}=={version(name)}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", name, wanted]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    archives = list(folder.glob("*.tar.gz"))
    if not archives:
        message = f"the source distribution of {wanted} cannot be downloaded: {done.stderr[-500:]}"
        if os.environ.get("HOOKLATCH_SERVICES") == "required":
            pytest.fail(message)
        pytest.skip(message)
    with tarfile.open(archives[0]) as archive:
        archive.extractall(folder, filter="data")
    (unpacked,) = (path for path in folder.iterdir() if path.is_dir())
    return name, unpacked


def run(name: str, folder: Path, door: str) -> dict[str, Any]:
    told = folder / f"told-{door}.json"
    files = [f"tests/{file}" for file in SUITES[name]]
    # It wants the SDK of OpenTelemetry, and posts nothing that others do not.
    command = [sys.executable, "-m", "pytest", *files, "--ignore=tests/middleware/test_opentelemetry.py", "--quiet"]
    command += ["--tb=short", "-p", "latched_everywhere", "-p", "no:cacheprovider", "-o", "addopts=", "-W", "default"]
    environment = os.environ | {
        "HOOKLATCH_DOOR": door,
        "HOOKLATCH_TOLD": str(told),
        "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("src", "tests")),
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=400, check=False
    )
    assert told.exists(), done.stdout[-3000:] + done.stderr[-3000:]
    found: dict[str, Any] = json.loads(told.read_text())
    assert len(found["passed"]) > 100, done.stdout[-3000:]
    return found


@pytest.fixture(scope="module")
def bare(suite: tuple[str, Path]) -> dict[str, Any]:
    """Return how the suite goes without us."""
    return run(*suite, "none")


@pytest.mark.parametrize("door", ["passing", "judging"])
def test_what_passes_without_a_door_passes_behind_it(suite: tuple[str, Path], bare: dict[str, Any], door: str) -> None:
    name, folder = suite
    behind = run(name, folder, door)
    assert behind["through"] > 100
    assert bare["through"] == 0
    broken = set(bare["passed"]) & set(behind["failed"])
    known = EXCEPTIONS.get((name, door), {})
    unexplained = sorted(test for test in broken if not any(part in test for part in known))
    assert unexplained == []
    # What no longer needs an excuse loses it.
    assert [part for part in known if not any(part in test for test in broken)] == []
