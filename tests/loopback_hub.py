"""A Hugging Face Hub on this computer: ``with loopback_hub({"user/model": FOLDER}) as (address, asked): ...``."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

REVISION = "0123456789abcdef0123456789abcdef01234567"


def _handler(repositories: Mapping[str, Path], asked: list[str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """The part of the hub's protocol that fetching a model needs; one revision per repository."""

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, body: bool) -> None:
            path = unquote(urlsplit(self.path).path)
            asked.append(path)
            for name, folder in repositories.items():
                if path.startswith(f"/api/models/{name}"):
                    files = [{"rfilename": file.name} for file in sorted(folder.iterdir())]
                    told = {
                        "id": name,
                        "modelId": name,
                        "sha": REVISION,
                        "siblings": files,
                        "tags": [],
                        "private": False,
                    }
                    return self.send(json.dumps(told).encode(), {"Content-Type": "application/json"}, body)
                if path.startswith(f"/{name}/resolve/"):
                    file = folder / path.removeprefix(f"/{name}/resolve/").partition("/")[2]
                    if not file.is_file():
                        return self.send(b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": REVISION}, body, 404)
                    content = file.read_bytes()
                    tag = hashlib.sha256(content).hexdigest()
                    return self.send(content, {"ETag": f'"{tag}"', "X-Repo-Commit": REVISION}, body)
            return self.send(b"", {"X-Error-Code": "RepoNotFound"}, body, 404)

        def send(self, content: bytes, headers: dict[str, str], body: bool, status: int = 200) -> None:
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(key, value)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            pass

    return Handler


@contextmanager
def loopback_hub(repositories: Mapping[str, Path]) -> Iterator[tuple[str, list[str]]]:
    """Serve folders as models; gives the address, for ``HF_ENDPOINT``, and the paths that were asked for."""
    asked: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(repositories, asked))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
