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


def serve(folder: Path, port: int) -> None:
    """Serve `folder` until Ctrl-C. Only this machine can reach it."""
    if not (folder / "index.html").exists():
        raise BuildError(f"there is no site in {folder} yet: call  make book  first")
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), functools.partial(_Quiet, directory=str(folder)))
    except OSError as error:
        raise BuildError(
            f"port {port} cannot be used ({error.strerror}): try  make serve PORT={port + 1}"
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
