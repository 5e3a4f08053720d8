"""Tables, sentences and source code as output of a cell: what the run says, in the type of the page."""

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
    """Show the source of library functions, so that the page and the code can never differ."""
    text = "\n\n".join(textwrap.dedent(inspect.getsource(function)).rstrip() for function in functions)
    display(Markdown(f"```python\n{text}\n```"))
