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

    def display(value, **_):
        shown.append(plotting.for_site(value["text/html"]))

    monkeypatch.setattr("efficient_ai.plotting._figures.display", display)
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


@pytest.fixture
def notebook(monkeypatch):
    """What a call puts into the output of a notebook, where no page of the site brings the scripts."""
    shown = []
    monkeypatch.delenv("EFFICIENT_AI_STATIC", raising=False)
    monkeypatch.setattr("efficient_ai.plotting._carrier._carriers", set())
    monkeypatch.setattr(
        "efficient_ai.plotting._carrier.packed", lambda: "<script class='eai-carrier'>carried</script>"
    )

    def display(value, **_):
        shown.append(value["text/html"] if isinstance(value, dict) else value.data)

    monkeypatch.setattr("efficient_ai.plotting._figures.display", display)
    return shown


def test_in_a_notebook_it_is_the_same_figure_and_one_cell_carries_what_draws_it(notebook, monkeypatch):
    cell = ["a"]
    monkeypatch.setattr("efficient_ai.plotting._carrier._cell", lambda: cell[0])
    slope = {"slope": plotting.Control([1.0, 2.0, 5.0], label="slope")}
    plotting.explore(slope, lambda slope: (line(slope), "r"), alt=ALT)
    plotting.show(line(), alt=ALT)
    cell[0] = "b"
    plotting.show(line(), alt=ALT)
    assert ["carried" in html for html in notebook] == [True, True, False]
    cell[0] = "a"
    plotting.show(line(), alt=ALT)
    assert "carried" in notebook[-1], "the cell runs again, and its new output replaces the one that carried"
    assert set(spec(notebook[0])["frames"]) == {"0", "1", "2"} and "type='range'" in notebook[0]
    assert "trust this notebook" in notebook[0] and "eaiQueue" in notebook[0]
    page = plotting.for_site("".join(notebook))
    assert (
        "carried" not in page
        and "eaiQueue" not in page
        and "trust" not in page
        and page.count("eai-spec") == 4
    )
    ids = [re.search(r"<figure class='eai-figure' id='([^']+)'", html)[1] for html in notebook]
    assert len(set(ids)) == len(ids), "figures of several notebooks stand in one document"


def test_the_kernel_draws_what_lies_between_two_frames(notebook):
    from efficient_ai.plotting import _live

    controls = {
        "slope": plotting.Control([1.0, 2.0, 5.0], label="slope"),
        "n": plotting.Control([3, 4], label="points", labels=["three", "four"]),
    }
    plotting.explore(controls, lambda slope, n: (line(slope, n), f"{slope} {n}"), alt=ALT)
    name = re.search(r"data-live='(\w+)'", notebook[0])[1]
    found = _live.frame(name, [1.5, 1])._repr_json_()
    assert found["readout"] == "3.5 4" and found["labels"] == ["3.5", "four"]
    assert found["data"][0]["type"] == "scatter" and "template" not in found["layout"]
    assert _live.frame(name, [2, 0])._repr_json_()["readout"] == "5.0 3"
    assert _live.frame("of another kernel", [0, 0])._repr_json_() == {"gone": True}
    assert [control.get("values") for control in spec(notebook[0])["controls"]] == [[1, 2, 5], None]


def test_a_setting_that_cannot_be_drawn_says_why(notebook):
    from efficient_ai.plotting import _live

    def draw(slope):
        if slope not in (1.0, 2.0):
            raise ValueError("no such slope")
        return line(slope), "r"

    plotting.explore({"slope": plotting.Control([1.0, 2.0], label="slope")}, draw, alt=ALT)
    name = re.search(r"data-live='(\w+)'", notebook[0])[1]
    assert _live.frame(name, [0.5])._repr_json_()["error"] == "ValueError: no such slope"


@pytest.mark.parametrize(
    ("values", "between", "half"),
    [
        ([1.0, 2.0, 5.0], True, 1.5),
        ([5.0, 2.0], True, 3.5),
        ([0.01, 1.0, 100.0], True, pytest.approx(0.1)),
        ([0, 0.5, 1], True, 0.25),
        ([1, 2, 4], False, 1),
        ([True, False], False, True),
        ([1.0, 3.0, 2.0], False, 1.0),
        (["a", "b"], False, "a"),
        ([None, 1.0], False, None),
    ],
)
def test_between_numbers_there_are_more_numbers(values, between, half):
    control = plotting.Control(values, label="x")
    assert control.between is between
    assert control.at(0.5) == half
    assert [control.at(i) for i in range(len(values))] == values


def test_the_carried_scripts_draw_without_a_page():
    from efficient_ai.plotting import _carrier

    text = plotting.bundle().decode()
    for part in ("window.Plotly", "window.eaiThemes", "window.eaiDraw", ".eai-figure"):
        assert part in text
    packed = _carrier.packed()
    assert packed.startswith("<script class=") and packed.count("</script>") == 1 and len(packed) < 2.5e6


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

    class Handle:
        def update(self, value):
            events.append("update")

    def display(value, display_id=None):
        events.append("display" if display_id else "carrier")
        return Handle() if display_id else None

    monkeypatch.setattr("efficient_ai.plotting._figures.display", display)
    monkeypatch.setattr("efficient_ai.plotting._carrier._carriers", set())
    monkeypatch.delenv("EFFICIENT_AI_STATIC", raising=False)
    redraw = plotting.live(line())
    redraw(line(2.0))
    assert events == ["carrier", "display", "update"]
    monkeypatch.setenv("EFFICIENT_AI_STATIC", "1")
    plotting.live(line())(line())
    assert len(events) == 3


def test_a_bar_follows_and_stays_at_its_total(monkeypatch):
    shown = []

    class Handle:
        def update(self, value):
            shown.append(value.data)

    monkeypatch.setattr("efficient_ai.plotting._progress.display", lambda value, display_id: Handle())
    bars = plotting.Progress(4, ["rank 0", "rank <1>"])
    bars.update(3, "error 0.5 < 1", bar=1)
    bars.update(3, "error 0.5 < 1", bar=1)
    bars.update(9)
    assert (
        len(shown) == 2
        and "value='3'" in shown[0]
        and "error 0.5 &lt; 1" in shown[0]
        and "rank &lt;1&gt;" in shown[0]
    )
    assert "value='4'" in shown[1]
    for total in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="above 0"):
            plotting.Progress(total)


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
    assert (
        page.count("<th scope='col'>") == 2
        and page.count("<th scope='col' class='eai-text' style='text-align:left'>") == 2
    )
    assert "<td>0.3 [0.2, 0.4]</td>" in page and "<td>−4 %</td>" in page
    assert "<td class='eai-text' style='text-align:left'>takes <code>k</code> of them</td>" in page
    assert "<td class='eai-text' style='text-align:left'>3 &lt;b&gt;</td>" in page
