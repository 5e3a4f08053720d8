"""What a student reads: one page, per task the points, what was wrong and a hint. No hidden test and no solution."""

import html
import re
from typing import Any

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1c2733; background: #fff }
h2 { font-size: 1.1rem; margin: 0 } section { border-left: 4px solid #b3261e; padding: .4rem 1rem; margin: 1.2rem 0 }
section.right { border-color: #1a7f37 } pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f3f5f7; padding: .6rem }
.points { float: right; font-variant-numeric: tabular-nums }
@media (prefers-color-scheme: dark) { body { color: #dde4ea; background: #15191d } pre { background: #22282e } }
"""
_HINT = re.compile(r"\nHint \d of \d: ")


def titles(notebook: dict) -> dict[str, str]:
    """By graded cell the heading above it, else its name."""
    found, heading = {}, ""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            line = next((line for line in "".join(cell["source"]).split("\n") if line.startswith("#")), "")
            heading = line.lstrip("# ") or heading
        mark = cell["metadata"]["nbgrader"]
        if mark["grade"]:
            found[mark["grade_id"]] = heading or mark["grade_id"]
    return found


def page(assignment: str, marked: Any, said: dict[str, str]) -> str:
    """The page of one student."""
    most = sum(task["points"] for task in marked.tasks)
    parts = [
        f"<h1>{html.escape(assignment)}: {marked.score:g} of {most:g} points</h1>",
        f"<p>{html.escape(marked.student)}</p>",
    ]
    if marked.note:
        parts.append(f"<p><strong>{html.escape(marked.note)}</strong></p>")
    for task in marked.tasks:
        right = task["score"] == task["points"]
        parts.append(f"<section{' class=right' if right else ''}>")
        parts.append(f'<span class="points">{task["score"]:g} of {task["points"]:g}</span>')
        parts.append(f"<h2>{html.escape(said.get(task['task'], task['task']))}</h2>")
        if right:
            parts.append("<p>All checks passed.</p>")
        elif task["message"] != marked.note:
            what, *hints = _HINT.split(task["message"])
            parts.append(f"<pre>{html.escape(what)}</pre>")
            parts += [f"<p><strong>Hint:</strong> {html.escape(hint)}</p>" for hint in hints]
        parts.append("</section>")
    head = f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{html.escape(assignment)}</title>'
    head += f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
    return head + "\n".join(parts) + "</html>\n"
