"""The site is served to this machine only, on the port asked for."""

import gzip
import urllib.error
import urllib.request
from http.server import ThreadingHTTPServer

import pytest

from bookbuild import serve
from bookbuild.layout import BuildError


@pytest.fixture
def addresses(tmp_path, monkeypatch):
    """Where servers listen; one that should run until Ctrl-C ends at once."""
    (tmp_path / "index.html").write_text("the book")
    seen = []

    class Server(ThreadingHTTPServer):
        def server_activate(self):
            super().server_activate()
            seen.append(self.server_address)

    monkeypatch.setattr(serve, "ThreadingHTTPServer", Server)
    return seen


def test_only_this_machine_can_reach_the_site(tmp_path, addresses, monkeypatch, capsys):
    with serve.background(tmp_path) as address, urllib.request.urlopen(address + "/index.html") as page:
        assert page.read() == b"the book" and addresses[-1][0] == "127.0.0.1"
        monkeypatch.setattr(serve.ThreadingHTTPServer, "serve_forever", lambda self: None)
        serve.serve(tmp_path, "0")
    host, port = addresses[-1]
    assert (
        len(addresses) == 2 and host == "127.0.0.1" and f"http://127.0.0.1:{port}/" in capsys.readouterr().out
    )


def test_a_port_in_use_is_refused_in_a_sentence(tmp_path, addresses):
    with serve.background(tmp_path), pytest.raises(BuildError, match=r"port \d+ cannot be used"):
        serve.serve(tmp_path, str(addresses[-1][1]))


def ask(address, path, **headers):
    with urllib.request.urlopen(urllib.request.Request(address + path, headers=headers)) as page:
        return page.read(), page.headers


def test_text_is_compressed_for_whoever_takes_that(tmp_path):
    page = "the book " * 5000
    (tmp_path / "index.html").write_text(page)
    (tmp_path / "figure.png").write_bytes(b"no text " * 5000)
    with serve.background(tmp_path) as address:
        for path in ("/", "/index.html"):
            packed, headers = ask(address, path, **{"Accept-Encoding": "gzip"})
            assert headers["Content-Encoding"] == "gzip" and headers["Content-Type"].startswith("text/html")
            assert len(packed) < len(page) / 20 and gzip.decompress(packed).decode() == page
        plain, headers = ask(address, "/index.html")
        assert plain.decode() == page and headers["Content-Encoding"] is None
        _, headers = ask(address, "/figure.png", **{"Accept-Encoding": "gzip"})
        assert headers["Content-Encoding"] is None
        (tmp_path / "index.html").write_text("a new book")
        packed, _ = ask(address, "/", **{"Accept-Encoding": "gzip"})
        assert gzip.decompress(packed) == b"a new book", "what has changed is read again"
        with pytest.raises(urllib.error.HTTPError, match="404"):
            ask(address, "/nothing.html", **{"Accept-Encoding": "gzip"})
