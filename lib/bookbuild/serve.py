"""A local web server for the built site. Nothing is sent anywhere else."""

import functools
import gzip
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bookbuild.layout import BuildError

_TEXT = {".html", ".js", ".css", ".json", ".svg", ".csv", ".ipynb"}  # what becomes much smaller
_packed: dict[tuple[str, int], bytes] = {}  # by path and time of change


class _Quiet(SimpleHTTPRequestHandler):
    """Files of the site, text compressed for whoever takes that: a page is a fifth of its size then."""

    def log_message(self, format: str, *args) -> None:
        """Requests are not worth a line each."""

    def send_head(self):
        path = Path(self.translate_path(self.path))
        if self.path.endswith("/"):
            path /= "index.html"
        takes = "gzip" in self.headers.get("Accept-Encoding", "")
        if not (takes and path.suffix in _TEXT and path.is_file()) or "If-Modified-Since" in self.headers:
            return super().send_head()
        when = path.stat().st_mtime_ns
        if (content := _packed.get((str(path), when))) is None:
            content = _packed[str(path), when] = gzip.compress(path.read_bytes(), compresslevel=6)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Vary", "Accept-Encoding")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Last-Modified", self.date_time_string(path.stat().st_mtime))
        self.end_headers()
        return io.BytesIO(content)


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
