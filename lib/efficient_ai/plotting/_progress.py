"""Bars that follow work in a notebook, and stay as they were at the end in the page, a saved notebook and an export."""

from collections.abc import Sequence
from html import escape

from IPython.display import HTML, display


class Progress:
    """A bar and a sentence for each of several pieces of work, as one output that is renewed in its place.

    Args:
        total: what a bar counts to, above 0.
        labels: the name of each bar.
    """

    def __init__(self, total: float, labels: Sequence[str] = ("",)):
        if not total > 0:
            raise ValueError(f"a bar counts to a number above 0, not {total}")
        self.total, self.labels = total, list(labels)
        self._values, self._sentences = [0.0] * len(self.labels), [""] * len(self.labels)
        self._handle = display(HTML(self._html()), display_id=True)

    def update(self, value: float, sentence: str = "", bar: int = 0) -> None:
        """Set a bar to ``value``, at most its total, and the sentence behind it."""
        new = min(max(value, 0), self.total), sentence
        if (self._values[bar], self._sentences[bar]) != new:
            self._values[bar], self._sentences[bar] = new
            if self._handle is not None:  # no front end, no output
                self._handle.update(HTML(self._html()))

    def _html(self) -> str:
        rows = "".join(
            f"<div style='display:flex;gap:0.75em;align-items:center;flex-wrap:wrap'><span style='min-width:4em'>{escape(label)}</span>"
            f"<progress max='{self.total:g}' value='{value:g}' aria-label='{escape(label or 'progress', quote=True)}' "
            f"style='width:16em'></progress><span>{escape(sentence)}</span></div>"
            for label, value, sentence in zip(self.labels, self._values, self._sentences, strict=True)
        )
        return f"<div class='eai-progress' aria-live='polite'>{rows}</div>"
