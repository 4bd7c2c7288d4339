"""What stands before the page: requests that mean this server, and no more uploads than it may keep."""

import ipaddress
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

#: Bytes of photos, maps and results that a server keeps at once.
MAX_KEPT = 4 * 10**9
#: How the folders of sessions begin.
SESSION = "bokehbench-session-"


def is_loopback(host: str) -> bool:
    """Whether only this computer reaches ``host``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def means_this_server(header: str, host: str) -> bool:
    """Whether a request's ``Host`` is one by which a server that listens on ``host`` is reached.

    A page of a stranger may point its own name at this computer (DNS rebinding); then the name is the stranger's.
    Numbers cannot be pointed anywhere, so they are right on a server that others may reach.
    """
    try:
        name = (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return False
    if is_loopback(name) or name == host.lower():
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return not is_loopback(host) and name in {socket.gethostname().lower(), socket.getfqdn().lower()}
    return not is_loopback(host)


class Guard:
    """Middleware: refuses foreign names, and makes room for uploads, of which the oldest go first.

    Args:
        app: what follows.
        host: address that the server listens on.
        folder: where uploads and sessions lie.
        limit: bytes that may lie there.
    """

    def __init__(self, app: ASGIApp, host: str, folder: Path, limit: int = MAX_KEPT) -> None:
        self.app, self.host, self.folder, self.limit = app, host, folder, limit
        #: Bytes of uploads that are on their way.
        self.coming = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the request pass."""
        headers, size, refused = Headers(scope=scope) if "headers" in scope else Headers(), 0, None
        if scope["type"] in ("http", "websocket") and not means_this_server(headers.get("host", ""), self.host):
            refused = PlainTextResponse("This server has another name: see --host of bokehbench app.", 400)
        elif scope["type"] == "http" and scope["method"] == "POST" and scope["path"].endswith("/upload"):
            length = headers.get("content-length", "")
            size = int(length) if length.isdecimal() and len(length) < 16 else self.limit
            if not self.make_room(size):
                words = f"There is no room for this file: the server keeps {self.limit / 1e9:g} GB at most. Try again"
                refused = PlainTextResponse(
                    f"{words} when others have closed their pages, or with a smaller file.", 413
                )
        if refused is not None:
            await refused(scope, receive, send)
            return
        self.coming += size
        try:
            await self.app(scope, receive, send)
        finally:
            self.coming -= size

    def make_room(self, size: int) -> bool:
        """Delete uploads, the oldest first, until ``size`` bytes fit twice: as they come, and as their session's copy.

        What sessions work on stays. Returns whether they fit.
        """
        kept = []
        for parent, _, names in os.walk(self.folder):
            for path in (Path(parent, name) for name in names):
                try:
                    known = path.stat()
                except OSError:  # gone since it was listed
                    continue
                kept.append((known.st_mtime, known.st_size, path))
        most = self.limit - 2 * (size + self.coming)
        total = sum(each[1] for each in kept)
        for _, length, path in sorted(kept):
            if total <= most or most < 0:
                break
            if not path.relative_to(self.folder).parts[0].startswith(SESSION) and path.name != ".lock":
                path.unlink(missing_ok=True)
                total -= length
        return total <= most
