"""Tables, sentences and source code as output of a cell: what the run says, in the type of the page."""

import ast
import inspect
import textwrap
from html import escape

from IPython.display import HTML, Markdown, display

from efficient_ai.plotting._tables import Table, table_html


def table(columns: Table, *, caption: str = "") -> None:
    """Show columns by name, or a data frame, as a small table."""
    shown = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    display(HTML(f"<figure class='eai-table'>{table_html(columns, caption or 'Table')}{shown}</figure>"))


def markdown(text: str) -> None:
    """Show a sentence whose numbers come from the run."""
    display(Markdown(text))


def source(*functions) -> None:
    """Show the code of library functions, so that the page and the code can never differ.

    Docstrings are left out; they stand in the reference of the library.
    """
    text = "\n\n".join(_code(function) for function in functions)
    display(Markdown(f"```python\n{text}\n```"))


def _code(function) -> str:
    text = textwrap.dedent(inspect.getsource(function)).rstrip()
    body = ast.parse(text).body[0].body
    lines = text.splitlines()
    if ast.get_docstring(ast.parse(text).body[0]) is not None and len(body) > 1:
        del lines[body[0].lineno - 1 : body[0].end_lineno]
    return "\n".join(lines)
