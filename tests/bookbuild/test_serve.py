"""The site is served to this machine only, on the port asked for."""

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
