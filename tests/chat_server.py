"""A server on this machine that speaks the protocol of chat completions, as a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[dict[str, Any], Message], tuple[int, bytes]]
"""The body and the headers of a request, to the status and the body of the reply."""


def completion(text: str | None) -> bytes:
    """The body of a reply whose message is a text."""
    return json.dumps({"choices": [{"message": {"content": text}}]}).encode()


@contextmanager
def chat_server(answer: Answer) -> Iterator[str]:
    """Serve on a free port of 127.0.0.1, and yield the address of the interface."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, content = answer(body, self.headers)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with suppress(OSError):  # the client was killed
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_address[1]}/v1"
        finally:
            http.shutdown()
            thread.join()
