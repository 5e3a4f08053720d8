"""Words of the glossary become links where a chapter uses them first; the search finds symbols and claims."""

import re
from collections.abc import Iterable, Sequence

import nbformat

# What is no running text: code, mathematics, links, roles, headings, lines of a table, comments, HTML.
_NOT_TEXT = re.compile(
    r"<(?P<tag>details|div|table|p)\b[^>]*>.*?</(?P=tag)>|```.*?```|~~~.*?~~~|:::.*?:::|\$\$.*?\$\$|^[^\n]*<!--[^\n]*?-->|<[^>]+>|`[^`]*`|\$[^$]+\$|!?\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])?"
    r"|^\#.*?$|^\|.*?$|\{[\w:]+\}`[^`]*`|\*After .*?\*",
    re.DOTALL | re.MULTILINE,
)


def terms(page: str) -> list[str]:
    """The terms of the glossary's page, as they are written there."""
    inside = page.partition("```{glossary}")[2].partition("\n```")[0]
    return [line.strip() for line in inside.splitlines() if line.strip() and not line.startswith(" ")]


def link(cells: Iterable[nbformat.NotebookNode], glossary: Sequence[str]) -> None:
    """Link the first use of each term in the Markdown cells, in place. Longer terms go first; a plural counts."""
    cells = [cell for cell in cells if cell.cell_type == "markdown"]
    for term in sorted(glossary, key=len, reverse=True):
        words = re.sub(r"\s*\(.*?\)\s*", " ", term).split(", ")
        pattern = re.compile(rf"(?<![\w{{}}-])(?:{'|'.join(map(_loose, words))})s?(?![\w-])", re.IGNORECASE)
        for cell in cells:
            if linked := _first(cell.source, pattern, term):
                cell.source = linked
                break


def _loose(word: str) -> str:
    """The word, with any white space where it has a space."""
    return r"\s+".join(map(re.escape, word.split()))


def _first(text: str, pattern: re.Pattern, term: str) -> str:
    taken = [match.span() for match in _NOT_TEXT.finditer(text)]
    for match in pattern.finditer(text):
        if not any(begin < match.end() and match.start() < end for begin, end in taken):
            said = " ".join(match[0].split())
            return f"{text[: match.start()]}{{term}}`{said} <{term}>`{text[match.end() :]}"
    return ""


def symbols(page: str) -> str:
    """Entries of the index, and so of the search, for the rows ``| $symbol$ | meaning |`` of the notation's page."""
    entries = []
    for row in re.finditer(r"^\|\s*(\$.+?\$[^|]*)\|\s*([^|]+?)\s*\|", page, re.MULTILINE):
        meaning = re.sub(r"[$\\{};!,]", "", row[2])
        for symbol in re.findall(r"\$(.+?)\$", row[1]):
            name = re.sub(r"\\(?:mathcal|mathbf|mathrm|hat|bar|tilde|text|cdot)\b", "", symbol)
            name = re.sub(r"[\\{}()\s|;,!]+", "", name.replace("\\lVert", "").replace("\\rVert", ""))
            if name:
                entries.append(entry(name, f"symbol: {meaning}"))
    return "\n\n".join(dict.fromkeys(entries))


def entry(word: str, of: str) -> str:
    """An entry of the index, which the search looks through."""
    return f"```{{index}} single: {word}; {of}\n```"
