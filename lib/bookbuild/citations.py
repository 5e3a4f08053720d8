"""Citations of notebooks: plain links to the work, with author and year, that read well in every viewer; roles in the site.

In a notebook a citation is ``[Yang et al. 2024](https://arxiv.org/abs/2312.02741)``; the site's bibliography, ``book/references.bib``,
knows the address by its ``doi`` or by ``note = {arXiv:...}``, and the page gets its own reference.
"""

import re
from functools import cache
from pathlib import Path

_LINK = re.compile(r"\[([^\]\[]+)\]\((https://(?:doi\.org|arxiv\.org/abs)/[^\s)]+)\)")


def address(fields: dict[str, str]) -> str:
    """Where a work of the bibliography is found; empty if it says neither DOI nor arXiv number."""
    if fields.get("doi"):
        return f"https://doi.org/{fields['doi']}"
    found = re.match(r"arXiv:(\S+)", fields.get("note", ""))
    return f"https://arxiv.org/abs/{found[1]}" if found else ""


@cache
def works(path: Path) -> dict[str, tuple[str, str]]:
    """Address and short name (``Yang et al. 2024``) of each work of a bibliography, by its key."""
    from pybtex.database import parse_file

    found = {}
    for key, entry in parse_file(str(path)).entries.items():
        people = [
            " ".join([*each.prelast_names, *each.last_names]) for each in entry.persons.get("author", ())
        ]
        names = people[0] if people else key
        if len(people) == 2:
            names = " and ".join(people)
        elif len(people) > 2:
            names = f"{people[0]} et al."
        found[key] = (
            address(dict(entry.fields)),
            f"{names.strip('{}')} {entry.fields.get('year', '')}".strip(),
        )
    return found


def as_roles(text: str, path: Path) -> str:
    """``text`` with each link to a work of the bibliography as a citation of the site."""
    keys = {where.lower(): key for key, (where, _) in works(path).items() if where}

    def role(link: re.Match) -> str:
        key = keys.get(link[2].lower())
        return f"{{cite}}`{key}`" if key else link[0]

    return _LINK.sub(role, text)
