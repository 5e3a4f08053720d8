"""Every page: quiet, local, accessible in light and dark, and no wider than a phone."""

import pytest

from bookbuild import api
from bookbuild.layout import Layout

pytestmark = pytest.mark.site

PAGES = [*Layout.here().pages(), *(page for page, _ in api.pages()), "search", "genindex"]
# In the dark only the colours differ, and looking at them is what takes axe its time.
OPTIONS = {"light": "{}", "dark": "{runOnly: ['color-contrast']}"}
RULES = """() => axe.run(document, OPTIONS).then(found => found.violations
    .filter(violation => ["serious", "critical"].includes(violation.impact))
    .map(violation => `${violation.id} (${violation.impact}): ` + violation.nodes.slice(0, 4)
        .map(node => node.target.join(" ") + " | " + (node.any[0]?.message || node.all[0]?.message || "")).join("\\n    ")))"""


@pytest.mark.parametrize("name", PAGES)
def test_page(visit, axe, name):
    """Nothing is asked from another host, nothing is missing, the console is quiet; the page has one visible title, no serious finding of axe in light and dark, and is no wider than a phone of 390 pixels."""
    seen = visit(color_scheme="light")
    page = seen.open(name)
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("h1:visible").count() == 1
    problems = []
    page.evaluate(axe)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.wait_for_function(f"() => document.documentElement.dataset.theme === '{theme}'")
        page.evaluate("() => document.getAnimations().forEach(animation => animation.finish())")
        problems += [
            f"{theme}: {violation}" for violation in page.evaluate(RULES.replace("OPTIONS", OPTIONS[theme]))
        ]
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(200)  # the figures redraw on the next frames
    width = page.evaluate("() => document.documentElement.scrollWidth")
    if width > 390:
        problems.append(f"phone: the page is {width} pixels wide: {page.evaluate(WIDE)}")
    assert not seen.wrong + problems, "\n".join(seen.wrong + problems)


WIDE = """() => [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > 391)
    .filter(e => !e.closest(".pst-scrollable-table-container, pre, .MathJax")).slice(0, 5)
    .map(e => e.tagName + "." + e.className).join("; ")"""
