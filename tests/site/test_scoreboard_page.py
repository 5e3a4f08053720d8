"""The scoreboard as a reader uses it: every sign leads somewhere, filters work, the files can be taken home."""

import csv
import io
import json
from urllib.request import urlopen

import pytest

from bookbuild.layout import Layout

pytestmark = pytest.mark.site
PAGE = "book/reference/scoreboard"


def test_every_sign_of_the_picture_and_every_id_leads_to_a_place_in_its_chapter(visit):
    page = visit().open(PAGE)
    links = page.eval_on_selector_all(
        ".scoreboard-picture a.chip, .eai-claims tr[data-verdict] > th > a",
        "all => all.map(link => link.href)",
    )
    assert len(links) > 50
    chapters = {}
    for link in sorted(set(links)):
        address, _, place = link.partition("#")
        chapters.setdefault(address, []).append(place)
    for address, places in chapters.items():
        page.goto(address)
        missing = page.evaluate("places => places.filter(id => !document.getElementById(id))", places)
        # What cannot be decided here is measured nowhere; its place is the table at the end.
        assert not [
            p for p in missing if not page.evaluate("id => !!document.getElementById(id)", f"{p}-row")
        ]
        unmeasured = page.evaluate(
            "ids => ids.filter(id => !document.getElementById(id + '-row').querySelector('.verdict-larger'))",
            missing,
        )
        assert not unmeasured, f"{address}: no place for {unmeasured}"


@pytest.mark.parametrize("options", [{}, {"viewport": {"width": 390, "height": 800}, "color_scheme": "dark"}])
def test_filters_show_the_chosen_verdict_and_paper_without_a_kernel(visit, options):
    seen = visit(**({} if not options else {"color_scheme": "dark"}))
    if options:
        seen.page.set_viewport_size(options["viewport"])
    page = seen.open(PAGE)
    visible = "all => all.filter(row => row.offsetParent !== null).map(row => [row.dataset.verdict, row.dataset.paper])"
    rows = ".eai-claims tr[data-verdict]"
    page.locator(".scoreboard-filters select").first.select_option("holds")
    shown = page.eval_on_selector_all(rows, visible)
    assert shown and {verdict for verdict, _ in shown} == {"holds"}
    assert page.locator(".scoreboard-shown").inner_text() == f"{len(shown)} claims"
    page.locator(".scoreboard-filters select").nth(1).select_option("jigsaw")
    both = page.eval_on_selector_all(rows, visible)
    assert both and set(map(tuple, both)) == {("holds", "jigsaw")} and len(both) < len(shown)
    for number in (0, 1):
        page.locator(".scoreboard-filters select").nth(number).select_option("")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert not seen.wrong, "\n".join(seen.wrong)


def test_the_page_is_short_and_no_column_is_three_words_wide(visit):
    page = visit().open(PAGE)
    # Some screens for each paper; with the tables of all claims unfolded it would be several times that.
    chapters = len(Layout.here().toc("chapters"))
    assert page.evaluate("document.documentElement.scrollHeight") < 2_800 * chapters
    narrow = page.eval_on_selector_all(
        ".eai-claims tr[data-verdict] > *",
        "all => all.filter(c => c.offsetParent && c.offsetWidth < 70).length",
    )
    assert not narrow


def test_the_data_can_be_downloaded_and_says_the_same(visit, site):
    page = visit().open(PAGE)
    found = {}
    for suffix in ("csv", "json"):
        href = page.get_attribute(f"a[href$='claims.{suffix}']", "href")
        with urlopen(f"{site}/book/reference/{href}") as answer:
            found[suffix] = answer.read().decode()
    rows = json.loads(found["json"])["claims"]
    assert [row["id"] for row in csv.DictReader(io.StringIO(found["csv"]))] == [row["id"] for row in rows]
    assert len(rows) == page.locator(".eai-claims tr[data-verdict]").count()


def test_a_chapter_opens_with_its_verdicts_as_a_fold(visit):
    page = visit().open("book/chapters/jigsaw")
    fold = page.locator("details.chapter-verdicts")
    assert fold.count() == 1 and not fold.evaluate("f => f.open")
    assert "replicated" in fold.locator("summary").inner_text()
    fold.locator("summary").click()
    kinds = fold.locator("li").evaluate_all("all => all.map(item => item.dataset.kind)")
    assert kinds[0] == "abstract" and kinds == sorted(
        kinds, key=["abstract", "paper", "property", "ours"].index
    )
