"""The built site on a local port, and a headless Chromium that notes whatever goes wrong on a page."""

import os
import shutil

import pytest

from bookbuild import assets, execute, render
from bookbuild.layout import Layout
from bookbuild.serve import background

ARGUMENTS = [
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def layout():
    """The checkout and its build folder."""
    return Layout.here()


@pytest.fixture(scope="session")
def site(layout):
    """Address of the site, rendered from the smoke runs of the chapters into a folder of its own."""
    execute.check(execute.execute(layout, "smoke"))
    index = render.render(layout, "smoke")
    with background(index.parent) as address:
        yield address


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium, driven by playwright."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("no Chromium here; on Debian: apt-get install chromium, on Ubuntu: snap install chromium")
    from playwright.sync_api import sync_playwright

    arguments = [*ARGUMENTS, "--no-sandbox"] if os.geteuid() == 0 else ARGUMENTS
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=arguments)
        yield chromium
        chromium.close()


class Visit:
    """One page in a browser context of its own. ``wrong`` collects console errors, failed and foreign requests."""

    def __init__(self, browser, site, **options):
        self.site, self.wrong = site, []
        self.context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        self.context.route("**/*", self._route)
        self.page = self.context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.wrong.append(f"exception: {str(error)[:300]}"))
        self.page.on("requestfailed", lambda request: self.wrong.append(f"failed request: {request.url}"))
        self.page.on("response", self._response)

    def open(self, name):
        """Load the page ``<name>.html`` and wait until its figures, formulae and widgets are drawn."""
        self.page.goto(f"{self.site}/{name}.html", wait_until="load")
        self.page.wait_for_load_state("networkidle")
        self.page.wait_for_function(
            "() => [...document.querySelectorAll('.eai-plot')].every(plot => plot.querySelector('.main-svg'))"
        )
        self.page.wait_for_function(
            "() => !window.MathJax?.startup?.promise || window.MathJax.startup.promise.then(() => true)"
        )
        return self.page

    def _route(self, route):
        if route.request.url.startswith((self.site, "data:", "blob:")):
            route.continue_()
        else:
            self.wrong.append(f"foreign request: {route.request.url}")
            route.abort()

    def _response(self, response):
        if response.status >= 400:
            self.wrong.append(f"status {response.status}: {response.url}")

    def _console(self, message):
        if message.type == "error":
            self.wrong.append(f"console {message.type}: {message.text} ({message.location.get('url', '')})")


@pytest.fixture
def visit(browser, site):
    """A function that starts a visit with options of a browser context (viewport, colour scheme)."""
    visits = []

    def start(**options):
        visits.append(Visit(browser, site, **options))
        return visits[-1]

    yield start
    for each in visits:
        each.context.close()


@pytest.fixture(scope="session")
def axe(layout):
    """The source of axe-core, to be run in a page."""
    return (assets.install(layout) / "axe.min.js").read_text(encoding="utf-8")
