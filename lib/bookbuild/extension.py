"""A small Sphinx extension: what the pages load, and what the theme's pages need to be accessible."""

from sphinx.application import Sphinx

# A figure is drawn by these, in this order, before require.js comes (which plotly.js would register with).
FIGURE_SCRIPTS = ("plotly.min.js", "eai-themes.js", "eai-figures.js")


def page_scripts(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Load the figures' scripts only where there is a figure, and never thebe, which the book does not use."""
    context["script_files"][:] = [script for script in context["script_files"] if not _is_thebe(script)]
    if "eai-figure" in context.get("body", ""):
        for number, name in enumerate(FIGURE_SCRIPTS):
            app.add_js_file(name, priority=100 + number)


def _is_thebe(script) -> bool:
    name = str(getattr(script, "filename", script) or "")
    body = str(getattr(script, "attributes", {}).get("body", ""))
    return "thebe" in name.lower() or "THEBE" in body


def setup(app: Sphinx) -> dict:
    """Called by Sphinx."""
    app.connect("html-page-context", page_scripts, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
