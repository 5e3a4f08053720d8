"""What a reader does on the site: moves sliders, switches to the dark, searches, looks at saved widgets."""

import pytest

from bookbuild.layout import Layout

pytestmark = pytest.mark.site

CHAPTERS = [f"book/chapters/{name}" for name in Layout.here().toc("chapters")]
# All layers: traces and shapes are in the first, arrows and other annotations in the second.
DRAWN = "figure => [...figure.querySelectorAll('.eai-plot .main-svg')].map(layer => layer.outerHTML).join()"


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_slider_changes_its_figure(visit, name):
    """A chapter has figures with sliders, and moving a slider to its end changes what is drawn."""
    seen = visit()
    page = seen.open(name)
    figures = page.locator("figure.eai-figure:has(input[type=range])")
    assert figures.count(), "a chapter has figures that move without a kernel"
    for number in range(figures.count()):
        figure = figures.nth(number)
        figure.scroll_into_view_if_needed()
        for slider in figure.locator("input[type=range]").all():
            before = figure.evaluate(DRAWN)
            slider.focus()
            slider.press("Home" if slider.input_value() == slider.get_attribute("max") else "End")
            page.wait_for_function(
                f"([figure, before]) => ({DRAWN})(figure) !== before",
                arg=[figure.element_handle(), before],
                timeout=5000,
            )
    assert not seen.wrong, "\n".join(seen.wrong)


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_switch_turns_page_and_figures_dark_and_is_remembered(visit, name):
    """Every chapter draws a figure with axes, and the theme switch turns page and figures dark."""
    seen = visit(color_scheme="light")
    page = seen.open(name)
    look = """() => ({theme: document.documentElement.dataset.theme,
        page: getComputedStyle(document.body).backgroundColor,
        ticks: getComputedStyle(document.querySelector(".eai-plot .xtick text")).fill})"""
    light = page.evaluate(look)
    for _ in range(3):  # the switch walks through light, dark and automatic
        if page.evaluate(look)["theme"] == "dark":
            break
        page.locator("button.theme-switch-button:visible").first.click()
    page.wait_for_function(f"ticks => ({look})().ticks !== ticks", arg=light["ticks"], timeout=5000)
    dark = page.evaluate(look)
    assert (light["theme"], dark["theme"]) == ("light", "dark")
    assert dark["page"] != light["page"]
    page.reload()
    page.wait_for_selector(".eai-plot .xtick text")
    assert page.evaluate(look)["theme"] == "dark"
    assert not seen.wrong, "\n".join(seen.wrong)


def test_the_search_finds_a_word_of_a_page(visit):
    """The search finds a word of a page."""
    seen = visit()
    page = seen.open("book/index")
    page.locator(".search-button-field:visible").click()
    page.keyboard.type("deadlock")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=deadlock*")
    found = page.locator("#search-results ul.search li")
    found.first.wait_for()
    assert "Glossary" in " ".join(found.all_inner_texts())
    page.wait_for_load_state("networkidle")
    found.locator("a").first.click()
    page.wait_for_load_state("networkidle")
    assert "deadlock" in page.locator("article").inner_text().lower()
    assert not seen.wrong, "\n".join(seen.wrong)


def test_saved_widgets_are_drawn(visit):
    """Every widget whose state was saved is drawn."""
    drawn = 0
    for name in CHAPTERS:
        seen = visit()
        page = seen.open(name)
        views = page.locator('script[type="application/vnd.jupyter.widget-view+json"]').count()
        if views:
            page.wait_for_selector(".cell_output .jupyter-widgets")
            shown = page.locator(".cell_output .jupyter-widgets:visible").count()
            assert shown >= views, f"{name}: {views} widgets were saved and {shown} are drawn"
            drawn += views
        assert not seen.wrong, "\n".join(seen.wrong)
    assert drawn, "no chapter shows a live widget"


def test_plotly_is_loaded_where_figures_are_and_only_there(visit):
    """Plotly is loaded where figures are, and only there."""
    for name, wanted in ((CHAPTERS[0], True), ("book/reference/glossary", False)):
        asked = []
        seen = visit()
        seen.page.on("request", lambda request, asked=asked: asked.append(request.url))
        seen.open(name)
        assert any("plotly.min.js" in url for url in asked) is wanted, name


def test_the_notebook_behind_a_page_can_be_downloaded(visit, site):
    """The notebook behind a page can be downloaded."""
    import json
    from urllib.request import urlopen

    for name in CHAPTERS:
        with urlopen(f"{site}/_sources/{name}.ipynb") as answer:
            assert json.load(answer)["nbformat"] == 4


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_first_screen_has_what_was_found_and_a_figure_that_moves(visit, name):
    """Under the title of a chapter stand what its run found and a figure with a slider, on the first screen; the verdicts come after."""
    page = visit().open(name)
    finding = page.locator(".chapter-finding").first
    assert finding.bounding_box()["y"] < 400 and any(sign.isdigit() for sign in finding.inner_text())
    slider = page.locator("figure.eai-figure input[type=range]").first
    assert slider.bounding_box()["y"] < 800
    after = page.locator(".chapter-facts").first.bounding_box()["y"]
    assert after > slider.bounding_box()["y"]
    assert page.locator("details.chapter-verdicts").first.bounding_box()["y"] > after
    assert page.locator(".read-next a").count() >= 1


@pytest.mark.parametrize(
    ("sought", "found"),
    [("eta", "notation"), ("C5c", "jigsaw"), ("evolve_generations", "propulate"), ("rank", "glossary")],
)
def test_the_search_finds_symbols_claims_functions_and_words(visit, sought, found):
    """The search finds a symbol of the notation, a claim's id, a function and a word of the glossary."""
    seen = visit()
    page = seen.page
    page.goto(f"{seen.site}/search.html?q={sought}")
    page.wait_for_selector("#search-results li a", timeout=20_000)
    page.wait_for_timeout(1500)
    links = page.locator("#search-results li a").evaluate_all("all => all.map(each => each.href)")
    assert any(found in link for link in links), links


def test_pages_are_light_when_they_are_sent_compressed(visit):
    """The first page of a visit is at most 6 MB as it is sent, each page of a chapter after it at most 2 MB."""
    seen, before, sent = visit(), set(), {}

    def note(response):
        sent[response.url] = int(response.headers.get("content-length") or 0)

    seen.page.on("response", note)
    for name in ("book/index", *CHAPTERS):
        seen.open(name)
        new = sum(size for url, size in sent.items() if url not in before)  # a browser keeps what it has
        assert new < (6e6 if not before else 2e6), name
        before |= set(sent)


@pytest.mark.parametrize("name", CHAPTERS)
def test_no_equation_is_cut_off(visit, name):
    """At 1280 pixels every displayed equation fits into the text's width."""
    page = visit().open(name)
    cut = page.evaluate(
        "() => [...document.querySelectorAll('mjx-container[display=true]')].filter(each => each.querySelector('mjx-math')"
        ".getBoundingClientRect().right > document.querySelector('article').getBoundingClientRect().right + 1).length"
    )
    assert cut == 0
