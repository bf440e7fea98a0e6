"""A real HTTP server on this machine that behaves as a script says: it breaks off, refuses or falls silent."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Reply:
    """How one request is answered."""

    status: int = 200
    stop_after: int | None = None
    """Close the connection after so many bytes of the body."""
    hang_after: int | None = None
    """Send nothing more after so many bytes, until the next request comes or the server is released."""
    ranges: bool = True
    etag: str | None = '"v1"'
    says_length: bool = True


@dataclass
class Request:
    """What was asked and how much of the body was sent."""

    path: str
    range: str | None
    sent: int = 0


@dataclass
class Server:
    """Files by path, one reply per request from the script and then plain ones, and the requests so far."""

    files: dict[str, bytes]
    script: list[Reply]
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def ranges(self) -> list[str | None]:
        """The Range header of every request."""
        return [request.range for request in self.requests]

    @property
    def sent(self) -> int:
        """Bytes of bodies."""
        return sum(request.sent for request in self.requests)


@contextmanager
def serving(files: dict[str, bytes], script: Sequence[Reply] = ()) -> Iterator[Server]:
    """Serve on a free port of 127.0.0.1."""
    server = Server(files, list(script))
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(server)) as http:
        server.url = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            http.shutdown()
            thread.join()


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.released.set()
            server.released = threading.Event()
            reply = server.script.pop(0) if server.script else Reply()
            request = Request(self.path, self.headers.get("Range"))
            server.requests.append(request)
            with suppress(ConnectionError):
                _answer(self, server, reply, request)

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    return Handler


def _answer(handler: BaseHTTPRequestHandler, server: Server, reply: Reply, request: Request) -> None:
    content = server.files.get(request.path)
    if reply.status != 200 or content is None:
        handler.send_error(reply.status if reply.status != 200 else 404)
        return
    start = _start(handler, reply)
    if start > 0 and start >= len(content):
        handler.send_response(416)
        handler.send_header("Content-Range", f"bytes */{len(content)}")
        handler.end_headers()
        return
    body = content[start:]
    handler.send_response(206 if start else 200)
    if start:
        handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
    if reply.says_length:
        handler.send_header("Content-Length", str(len(body)))
    if reply.etag:
        handler.send_header("ETag", reply.etag)
    handler.end_headers()
    _send(handler, server, reply, request, body)


def _start(handler: BaseHTTPRequestHandler, reply: Reply) -> int:
    asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range") or "")
    same = handler.headers.get("If-Range") in (None, reply.etag)
    return int(asked[1]) if asked and reply.ranges and same else 0


def _send(handler: BaseHTTPRequestHandler, server: Server, reply: Reply, request: Request, body: bytes) -> None:
    released = server.released
    first = next((n for n in (reply.stop_after, reply.hang_after) if n is not None), len(body))
    handler.wfile.write(body[:first])
    request.sent = len(body[:first])
    if reply.hang_after is not None:
        released.wait(60)
        handler.close_connection = True
