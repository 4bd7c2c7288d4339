"""Before the page: foreign names, too many uploads, and what a killed server left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

pytest.importorskip("gradio")

import gradio
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from bokehbench.app.guard import SESSION, Guard, means_this_server
from bokehbench.app.page import Page
from bokehbench.app.refocuser import Refocuser
from bokehbench.app.server import PREFIX, own_temporary_folder
from bokehbench.models import MODELS

LOOPBACK = ["localhost", "localhost:7860", "LOCALHOST:1", "127.0.0.1:7860", "[::1]:7860", "[::1]"]
FOREIGN = ["evil.example", "evil.example:7860", "localhost.evil.example", "127.0.0.1.evil.example", "", "[", "a b",
           "[::1", "127.0.0.1@evil.example:80", "evil.example#localhost"]  # fmt: skip


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "0.0.0.0", "box"])
@pytest.mark.parametrize("header", LOOPBACK)
def test_this_computer_may_always_ask(header, host) -> None:
    assert means_this_server(header, host)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "box"])
@pytest.mark.parametrize("header", FOREIGN)
def test_no_foreign_name_is_answered(header, host) -> None:
    assert not means_this_server(header, host)


@pytest.mark.parametrize(
    ("header", "host", "right"),
    [
        ("box:80", "box", True),
        ("10.0.0.5:7860", "0.0.0.0", True),
        ("10.0.0.5", "127.0.0.1", False),
        ("box", "::1", False),
    ],
)
def test_the_name_of_a_server_that_others_reach_is_its_own(header, host, right) -> None:
    assert means_this_server(header, host) == right


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The page of a method without weights, as it is served, 2000 bytes kept at most; and where uploads lie."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("kept")
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        blocks = Page(Refocuser(MODELS["identity"]().eval()), "Identity").build()
        blocks.max_file_size = 10**9
        guard = Middleware(Guard, host="127.0.0.1", folder=folder, limit=2000)
        app = gradio.routes.App.create_app(blocks, app_kwargs={"middleware": [guard]})
        yield TestClient(app, base_url="http://127.0.0.1"), folder


def upload(client, content: bytes, name: str = "a.png"):
    return client.post("/gradio_api/upload", files={"files": (name, content)})


def test_the_page_is_not_shown_under_another_name(served) -> None:
    client, _ = served
    assert client.get("/config").status_code == 200
    for path in ("/", "/config", "/gradio_api/info", "/gradio_api/upload"):
        answer = client.get(path, headers={"host": "evil.example"})
        assert answer.status_code == 400
        assert "another name" in answer.text


def test_the_oldest_uploads_go_first_and_sessions_stay(served) -> None:
    client, folder = served
    session = folder / f"{SESSION}x" / "photo.png"
    session.parent.mkdir()
    session.write_bytes(bytes(200))
    places = []
    for number in range(4):
        answer = upload(client, bytes([number]) * 300)
        assert answer.status_code == 200, answer.text
        places.append(Path(answer.json()[0]))
        os.utime(places[-1], (number + 1, number + 1))
    assert [place.exists() for place in places] == [False, True, True, True]
    assert session.exists()
    refused = upload(client, bytes(1500))
    assert refused.status_code == 413
    assert refused.text.startswith("There is no room for this file")
    assert places[-1].exists(), "nothing goes for what cannot fit"
    lengthless = client.post("/gradio_api/upload", content=iter([b"x"]))
    assert lengthless.status_code == 413
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= 2000


HOLD = """
import sys, tempfile
tempfile.tempdir = sys.argv[1]
from bokehbench.app.server import own_temporary_folder
with own_temporary_folder() as folder:
    (folder / "photo.png").write_bytes(b"x")
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_server_left_goes_at_the_next_start_and_no_live_servers_files(tmp_path, monkeypatch) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    killed, live = (
        subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) for _ in range(2)
    )
    try:
        left, used = (Path(process.stdout.readline().strip()) for process in (killed, live))
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        strange = tmp_path / f"{PREFIX}of-others"
        strange.mkdir()
        assert left.exists()
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        with own_temporary_folder() as ours:
            assert not left.exists()
            assert (used / "photo.png").exists()
            assert strange.exists()
        assert not ours.exists()
    finally:
        live.communicate("")
    assert live.returncode == 0
    assert not used.exists()
