"""A local web server for the built site. Nothing is sent anywhere else."""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bookbuild.layout import BuildError


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args) -> None:
        """Requests are not worth a line each."""


def serve(folder: Path, port: str, hint: str = "make book") -> None:
    """Serve `folder` until Ctrl-C. Only this machine can reach it. `hint`: the command that makes the site."""
    if not (port.isascii() and port.isdigit() and int(port) < 2**16):
        raise BuildError(f"PORT is a number from 1 to 65535 (or 0 for any that is free), not '{port}'")
    if not (folder / "index.html").exists():
        raise BuildError(f"there is no site in {folder} yet: call  {hint}  first")
    try:
        server = ThreadingHTTPServer(
            ("127.0.0.1", int(port)), functools.partial(_Quiet, directory=str(folder))
        )
    except OSError as error:
        raise BuildError(
            f"port {port} cannot be used ({error.strerror}): try another, or PORT=0 for any that is free"
        ) from None
    print(f"The book is at  http://127.0.0.1:{server.server_port}/  (Ctrl-C ends it)", flush=True)
    with server:
        server.serve_forever()


@contextmanager
def background(folder: Path) -> Iterator[str]:
    """Serve `folder` on a free port while the context lasts; gives the address, for tests."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
