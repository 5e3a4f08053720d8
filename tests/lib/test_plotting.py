"""Figures: text alternative and numbers are part of the call, the page needs no kernel, nothing grows too large."""

import ast
import json
import re

import numpy as np
import pytest

from efficient_ai import plotting
from efficient_ai.plotting._tables import table_html


@pytest.fixture
def page(monkeypatch):
    """What a call would put on the rendered page."""
    shown = []
    monkeypatch.setenv("EFFICIENT_AI_STATIC", "1")
    monkeypatch.setattr("efficient_ai.plotting._figures.display", lambda value, **_: shown.append(value.data))
    return shown


ALT = "A line that rises with every step of x."


def line(slope=1.0, n=5):
    fig = plotting.figure(x="x (s)", y="y (m)")
    fig.add_scatter(x=np.arange(n), y=slope * np.arange(n))
    return fig


def spec(html):
    return json.loads(
        re.search(r"class='eai-spec'>(.*?)</script>", html, re.S).group(1).replace("<\\/", "</")
    )


def test_show_carries_figure_alternative_caption_and_numbers(page):
    plotting.show(line(), alt=ALT, caption="It <rises>.", table={"x": [0, 1], "y": [0.123456, float("nan")]})
    (html,) = page
    assert f"aria-label='{ALT}'" in html and "It &lt;rises&gt;." in html
    assert "<td>0.1235</td>" in html and "<td>nan</td>" in html
    assert "http" not in html.replace("http://www.w3.org", "")
    frame = spec(html)["frames"][""]
    assert frame["layout"]["xaxis"]["title"]["text"] == "x (s)" and "template" not in frame["layout"]


def test_explore_draws_every_combination(page):
    asked = []

    def draw(slope, n):
        asked.append((slope, n))
        return line(slope, n), f"slope {slope}, {n} points"

    controls = {
        "slope": plotting.Control([1.0, 2.0], label="slope (m/s)", start=2.0),
        "n": plotting.Control([3, 4, 5], label="points", labels=["three", "four", "five"]),
    }
    plotting.explore(controls, draw, alt=ALT)
    (html,) = page
    assert len(asked) == 6 and len(set(asked)) == 6
    frames = spec(html)["frames"]
    assert set(frames) == {f"{i},{j}" for i in range(2) for j in range(3)}
    assert frames["1,2"]["readout"] == "slope 2.0, 5 points"
    assert html.count("type='range'") == 2 and "value='1'" in html and "five" in html
    ids = re.findall(r" id='([^']+)'", html)
    assert len(ids) == len(set(ids)) and all(
        f"for='{i}'" in html for i in ids if not i.startswith("eai-figure")
    )


def test_text_alternative_is_required(page):
    with pytest.raises(ValueError, match="too short"):
        plotting.show(line(), alt="plot")
    with pytest.raises(TypeError):
        plotting.show(line())
    assert not page


def test_too_much_data_is_refused(page):
    with pytest.raises(ValueError, match="at most 300"):
        plotting.show(line(n=60_000), alt=ALT)
    with pytest.raises(ValueError, match="different length"):
        plotting.show(line(), alt=ALT, table={"x": [1], "y": [1, 2]})


@pytest.mark.parametrize(
    "make",
    [
        lambda: plotting.Control([1], label="x"),
        lambda: plotting.Control([1, 2], label="x", start=3),
        lambda: plotting.Control([1, 2], label="x", labels=["one"]),
        lambda: plotting.explore({}, line, alt=ALT),
    ],
)
def test_bad_controls_are_refused(make):
    with pytest.raises(ValueError):
        make()


def test_data_cannot_end_the_script_element(page):
    fig = line()
    fig.update_layout(title="</script><b>")
    plotting.show(fig, alt=ALT)
    assert page[0].count("</script>") == 1
    assert spec(page[0])["frames"][""]["layout"]["title"]["text"] == "</script><b>"


def test_colours():
    assert plotting.colour("asynchronous") in plotting.OKABE_ITO.values()
    assert len(set(plotting.COLOURS.values())) == len(plotting.COLOURS)
    with pytest.raises(KeyError, match="no colour for 'magic'"):
        plotting.colour("magic")
    assert plotting.rgba("#0072B2", 0.5) == "rgba(0,114,178,0.5)"


def test_live_figures_are_drawn_by_the_kernel(monkeypatch):
    """Without the build's switch the figure is a Plotly output and the sliders are ipywidgets."""
    import ipywidgets

    shown = []
    monkeypatch.delenv("EFFICIENT_AI_STATIC", raising=False)
    monkeypatch.setattr("efficient_ai.plotting._figures.display", lambda value, **_: shown.append(value))
    plotting.show(line(), alt=ALT)
    assert "application/vnd.plotly.v1+json" in shown[0]
    plotting.explore(
        {"slope": plotting.Control([1.0, 2.0], label="slope")}, lambda slope: (line(slope), "r"), alt=ALT
    )
    box = next(value for value in shown if isinstance(value, ipywidgets.VBox))
    assert isinstance(box.children[0], ipywidgets.SelectionSlider) and box.children[0].value == 1.0


def test_source_is_the_code_without_its_docstring(monkeypatch):
    shown = []
    monkeypatch.setattr("efficient_ai.plotting._text.display", lambda value: shown.append(value.data))
    plotting.source(documented, line)
    assert "A sentence" not in shown[0] and shown[0].startswith(
        "```python\ndef documented(x):\n    return x + 1"
    )
    assert "def line(slope=1.0, n=5):" in shown[0]


def documented(x):
    """A sentence.

    Another one.
    """
    return x + 1


def test_code_on_a_page_has_80_columns_and_means_the_same():
    from efficient_ai.plotting._text import for_page

    code = (
        "def f(a, b):\n"
        "    value = some_function_with_a_name(a, b, keyword_argument=a + b, other=b)  # a comment behind the code that is long\n"
        "    # A comment on a line of its own that goes on for much longer than a page of this book would ever be wide.\n"
        "    text = '# no comment, however long this string may be: it stays as it is, because it is data'\n"
        "    return [value, text, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k']  # fmt: skip"
    )
    shown = for_page(code)
    long = [line for line in shown.splitlines() if len(line) > 80]
    assert len(long) == 1 and "stays as it is" in long[0]
    assert ast.dump(ast.parse(shown)) == ast.dump(ast.parse(code))
    assert shown.index("# a comment behind") < shown.index("value =") and "fmt: skip" not in shown
    assert for_page("def broken(") == "def broken(", "what does not parse is shown as it is"


def test_a_live_figure_is_replaced_and_not_shown_again(monkeypatch):
    events = []
    monkeypatch.setattr(
        "efficient_ai.plotting._figures.display", lambda value, **_: events.append(type(value).__name__)
    )
    monkeypatch.setattr("IPython.display.clear_output", lambda wait: events.append("clear"))
    monkeypatch.delenv("EFFICIENT_AI_STATIC", raising=False)
    redraw = plotting.live(line())
    redraw(line(2.0))
    assert events == ["Output", "clear", "dict", "clear", "dict"]
    monkeypatch.setenv("EFFICIENT_AI_STATIC", "1")
    plotting.live(line())(line())
    assert len(events) == 5


def test_site_assets_hold_both_themes():
    assets = plotting.site_assets()
    assert set(assets) == {"eai-themes.js", "eai-figures.js", "eai-figures.css"}
    themes = json.loads(assets["eai-themes.js"].decode().removeprefix("window.eaiThemes = ").rstrip(";\n"))
    assert themes["light"]["layout"]["paper_bgcolor"] != themes["dark"]["layout"]["paper_bgcolor"]


def test_numbers_stand_right_and_texts_left():
    page = table_html(
        {
            "method": ["ours", "theirs"],
            "error": [0.25, "0.3 [0.2, 0.4]"],
            "gain": ["—", "−4 %"],
            "what": ["takes `k` of them", "3 <b>"],
        },
        "comparison",
    )
    assert page.count("<th scope='col'>") == 2 and page.count("<th scope='col' class='eai-text'>") == 2
    assert "<td>0.3 [0.2, 0.4]</td>" in page and "<td>−4 %</td>" in page
    assert "<td class='eai-text'>takes <code>k</code> of them</td>" in page
    assert "<td class='eai-text'>3 &lt;b&gt;</td>" in page
