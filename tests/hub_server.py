"""A Hugging Face Hub of one repository on this computer: ``with hub_of(folder) as endpoint``."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

#: The repository, its commit, and the names under which it can be asked for.
REPOSITORY, COMMIT, REVISIONS = "user/repo", "a" * 40, ("main", "v1", "a" * 40)


@contextmanager
def hub_of(folder: Path, repository: str = REPOSITORY, asked: list[str] | None = None) -> Iterator[str]:
    """Serve the files of ``folder`` as ``repository``; the value for ``HF_ENDPOINT``. ``asked``: gets every path."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}

    class Hub(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status: int, content: bytes = b"", **heads: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), "X-Repo-Commit": COMMIT, **heads}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def do_GET(self) -> None:
            if asked is not None:
                asked.append(self.path)
            parts = self.path.partition("?")[0].strip("/").split("/")
            api = parts[:1] == ["api"]
            name, rest = ("/".join(parts[2:4]), parts[4:]) if api else ("/".join(parts[:2]), parts[2:])
            if name != repository:
                self.answer(404, X_Error_Code="RepoNotFound")
            elif rest[1:2] and rest[1] not in REVISIONS:
                self.answer(404, X_Error_Code="RevisionNotFound")
            elif rest[:1] == ["tree"]:
                listed = [{"type": "file", "path": file, "size": len(files[file]), "oid": file} for file in files]
                self.answer(200, json.dumps(listed).encode())
            elif api:
                known = {"id": name, "sha": COMMIT, "siblings": [{"rfilename": file} for file in files]}
                self.answer(200, json.dumps(known).encode())
            elif rest[-1] in files:
                content = files[rest[-1]]
                self.answer(200, content, ETag=f'"{hashlib.sha256(content).hexdigest()}"')
            else:
                self.answer(404, X_Error_Code="EntryNotFound")

        do_HEAD = do_GET

        def log_message(self, *args: object) -> None:
            """Nothing: tests ask for ``asked``."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
