"""Tables, sentences and source code as output of a cell: what the run says, in the type of the page."""

import ast
import inspect
import io
import subprocess
import textwrap
import tokenize
from html import escape

from IPython.display import HTML, Markdown, display

from efficient_ai.plotting._tables import Table, table_html

PAGE_COLUMNS = 80
"""Characters of code that a page of the book shows beside both of its side bars."""


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
    lines = text.splitlines()
    documented = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    strings = [
        node.body[0]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, documented) and ast.get_docstring(node) is not None and len(node.body) > 1
    ]
    for string in sorted(strings, key=lambda node: node.lineno, reverse=True):
        del lines[string.lineno - 1 : string.end_lineno]
    return for_page("\n".join(lines))


def for_page(code: str) -> str:
    """Python code in lines of :data:`PAGE_COLUMNS`, so that nothing scrolls sideways; it does the same as before.

    The library is written wider. Its formatter breaks the lines; comments are wrapped, those behind code move above it.
    """
    from ruff import find_ruff_bin

    try:
        ast.parse(code)
    except SyntaxError:
        return code
    code = "\n".join(_with_wrapped_comments(code.replace("  # fmt: skip", "")))
    command = [
        find_ruff_bin(),
        "format",
        "--isolated",
        f"--line-length={PAGE_COLUMNS}",
        "--stdin-filename=page.py",
        "-",
    ]
    done = subprocess.run(command, input=code, capture_output=True, text=True, check=False)
    return (done.stdout if done.returncode == 0 else code).rstrip("\n")


def _with_wrapped_comments(code: str) -> list[str]:
    """The lines, each comment that is too long for a page wrapped and put above its line."""
    comments = {
        token.start: token.string
        for token in tokenize.generate_tokens(io.StringIO(code + "\n").readline)
        if token.type == tokenize.COMMENT
    }
    columns = {row: column for row, column in comments}
    lines = []
    for row, line in enumerate(code.splitlines(), start=1):
        if row in columns and len(line) > PAGE_COLUMNS:
            before, comment = line[: columns[row]].rstrip(), line[columns[row] :].lstrip("# ")
            indent = " " * (len(line) - len(line.lstrip()))
            lines += textwrap.wrap(
                comment, PAGE_COLUMNS, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# "
            )
            if before.strip():
                lines.append(before)
        else:
            lines.append(line)
    return lines
