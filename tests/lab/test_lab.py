"""Real JupyterLab in a real browser: open the copy, run all, move a slider, save, come back without a kernel.

Three chapters in CI, one of them with MPI ranks; all of them by ``make test-lab``.
"""

import getpass
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import psutil
import pytest

from bookbuild import lab, workshop
from bookbuild.layout import Layout
from efficient_ai.processes import end_tree

HERE = Layout.here()
SOME = ("energy", "recycle", "petnet")
CHAPTERS = HERE.toc("chapters") if os.environ.get("EFFICIENT_AI_LAB") == "all" else SOME
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
CACHES = {
    "node-compile-cache",
    "torchinductor_" + getpass.getuser(),
}  # of Node and of torch, one for all runs
TOKEN = "only-for-this-test"

pytestmark = [
    pytest.mark.notebook,
    pytest.mark.skipif(
        CHROMIUM is None, reason="no Chromium here (CHROMIUM=/path/to/it, or apt-get install chromium)"
    ),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The book with copies and products of its own, in the profile `smoke`, and a JupyterLab that shows them."""
    root = tmp_path_factory.mktemp("reader")
    for name in ("book", "lib", "_toc.yml", "results", "requirements.txt", "constraints.txt"):
        (root / name).symlink_to(HERE.root / name)
    layout = Layout(root, root / "build")
    before = workshop.digest(layout)
    workshop.refresh(layout)
    workshop.choose("smoke", layout)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", *lab.arguments(layout), "--no-browser"]
    command += [f"--ServerApp.port={port}", f"--IdentityProvider.token={TOKEN}"]
    # Folders of this Lab and its kernels, to see what they leave.
    temporary = root / "tmp"
    temporary.mkdir()
    environment = lab.environment(layout) | {"TMPDIR": str(temporary), "OMP_NUM_THREADS": "1"}
    # Settings, workspaces and signatures of a reader who is new here, not those of whoever runs the tests.
    for variable in (
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_DATA_DIR",
        "JUPYTERLAB_SETTINGS_DIR",
        "JUPYTERLAB_WORKSPACES_DIR",
    ):
        environment[variable] = str(root / "jupyter" / variable.lower())
    log = open(root / "lab.log", "wb")
    server = subprocess.Popen(
        command,
        cwd=workshop.workshop(layout),
        env=environment,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        wait_for(lambda: ask(port, "api/status"), 60)
        yield layout, port, temporary
    finally:
        server.terminate()
        try:
            server.wait(20)
        finally:
            end_tree(server.pid, waited_for=True)
            log.close()
    assert workshop.digest(layout) == before, "the sources of the book are as they were"


def ask(port, what, method="GET"):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/{what}?token={TOKEN}", method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or "null") if method == "GET" else None


def wait_for(condition, seconds):
    end = time.monotonic() + seconds
    while True:
        try:
            if found := condition():
                return found
        except OSError:
            pass
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.3)


@pytest.fixture
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def opened(browser, port, path):
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.goto(f"http://127.0.0.1:{port}/lab/tree/{path}?token={TOKEN}&reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=90_000)
    return page


DRAWN = "document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden) .eai-plot .main-svg:first-child').length"
FIGURES = "document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden) figure.eai-figure').length"


def cells(path):
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


def outputs(path):
    return [output for cell in cells(path) for output in cell["outputs"]]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", CHAPTERS)
def test_a_reader_runs_a_chapter_and_finds_its_figures_again(place, browser, name):
    layout, port, temporary = place
    path = workshop.workshop(layout) / "chapters" / f"{name}.ipynb"
    assert any('profile = "smoke"' in "".join(cell["source"]) for cell in cells(path))

    page = opened(browser, port, workshop.START.replace(" ", "%20"))
    page.click(f"a:has-text('{_link(layout, name)}')")  # the start page's links work in JupyterLab
    page.wait_for_function(
        f"window.jupyterapp.shell.currentWidget?.context?.path === 'chapters/{name}.ipynb'", timeout=30_000
    )
    page.wait_for_function(
        "window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'",
        timeout=60_000,
    )
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    deadline = time.monotonic() + 400
    while True:  # saved now and then, so that the file tells how far it is
        page.wait_for_timeout(3000)
        page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
        page.wait_for_timeout(700)
        failed = [output for output in outputs(path) if output["output_type"] == "error"]
        assert not failed, "".join(failed[0]["traceback"])[-2000:]
        if all(cell["execution_count"] for cell in cells(path) if "".join(cell["source"]).strip()):
            break
        assert time.monotonic() < deadline, "Run All did not come to its end"

    page.wait_for_function(f"{DRAWN} >= {FIGURES}", timeout=60_000)
    figures = page.evaluate(FIGURES)
    assert figures >= 4
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")  # the bar moves after the cell
    wait_for(lambda: _bar_is_full(path), 20)
    _slide(page)

    def background():
        plots = page.evaluate(
            "[...new Set([...document.querySelectorAll('.eai-plot .main-svg:first-child')].map(e => e.style.background))]"
        )
        assert len(plots) == 1
        return plots[0]

    light = background()
    page.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    page.wait_for_selector("body[data-jp-theme-light='false']", state="attached")
    page.wait_for_timeout(1500)
    assert background() != light, "the figures follow the theme"
    page.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'})")
    page.wait_for_selector("body[data-jp-theme-light='true']", state="attached")
    page.close()

    for session in ask(port, "api/sessions"):
        ask(port, f"api/sessions/{session['id']}", "DELETE")
    page = opened(browser, port, f"chapters/{name}.ipynb")
    page.wait_for_function(f"{FIGURES} === {figures} && {DRAWN} >= {figures}", timeout=60_000)
    assert "Error displaying widget" not in page.inner_text("body")
    _slide(page)
    page.close()
    for session in ask(port, "api/sessions"):
        ask(port, f"api/sessions/{session['id']}", "DELETE")
    wait_for(lambda: not left_running(temporary), 30)
    left = {each.name for each in temporary.iterdir()} - CACHES
    assert not left, "folders of the run are gone with its kernel"


def _bar_is_full(path):
    bars = [text for text in _shown(path) if "aria-label='this chapter'" in text]
    return len(bars) == 1 and "cells have run, in" in bars[0]


def _shown(path):
    return ["".join(output["data"].get("text/html", "")) for output in outputs(path) if "data" in output]


def _link(layout, name):
    return re.search(rf"\[([^\]]+)\]\(chapters/{name}\.ipynb\)", workshop.overview(layout))[1]


def _slide(page):
    """Move the first slider by one setting: the readout changes within a second."""
    moved = page.evaluate(
        """async () => {
        const panel = document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden)');
        const figure = panel.querySelector('figure.eai-figure:has(input[type=range])');
        const input = figure.querySelector('input[type=range]'), text = figure.querySelector('.eai-readout');
        const plot = () => figure.querySelector('.eai-plot').innerHTML;
        const before = [text.textContent, plot()], start = performance.now();
        input.value = Number(input.value) > 0 ? 0 : 1;
        input.dispatchEvent(new Event('input'));
        while (text.textContent === before[0] && plot() === before[1] && performance.now() - start < 5000)
            await new Promise(done => setTimeout(done, 20));
        return [performance.now() - start, input.getBoundingClientRect().width, input.getAttribute('aria-valuetext')];
    }"""
    )
    assert moved[0] < 1000 and moved[1] >= 160 and moved[2]


def left_running(temporary):
    """Processes that a kernel of this Lab started and that are still there."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "environ"]):
        environment = process.info["environ"] or {}
        words = " ".join(process.info["cmdline"] or [])
        if environment.get("TMPDIR") == str(temporary) and "jupyterlab" not in words:
            found.append(words)
    return found


def test_a_saved_notebook_is_whole_when_it_is_exported(tmp_path, monkeypatch):
    """Plain nbclient runs it without a front end; plain nbconvert makes a page on which a browser draws every figure."""
    import nbformat
    from nbclient import NotebookClient

    code = (
        "from efficient_ai import plotting\n"
        "def draw(n):\n"
        "    fig = plotting.figure()\n"
        "    fig.add_scatter(y=list(range(int(n * 10))))\n"
        "    return fig, f'{n} tens'\n"
        "plotting.explore({'n': plotting.Control([0.5, 1.0], label='n')}, draw, alt='a line that becomes longer with n')\n"
        "redraw = plotting.live(draw(0.5)[0])\n"
        "bar = plotting.Progress(2)\n"
        "for k in range(3):\n"
        "    redraw(draw(k)[0])\n"
        "    bar.update(k)\n"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for _ in range(3)])
    monkeypatch.delenv("EFFICIENT_AI_STATIC", raising=False)
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    path = tmp_path / "run.ipynb"
    nbformat.write(notebook, path)
    subprocess.run([sys.executable, "-m", "nbconvert", "--to", "html", path], check=True, capture_output=True)
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = chromium.new_page()
        page.goto(path.with_suffix(".html").as_uri(), wait_until="domcontentloaded")
        page.wait_for_function(
            "document.querySelectorAll('.eai-plot .main-svg:first-child').length === 6", timeout=30_000
        )
        assert page.locator(".eai-undrawn").count() == 0
        assert page.locator(".eai-readout").first.text_content() == "0.5 tens"
        chromium.close()
