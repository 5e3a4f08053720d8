"""Figures of the book: one theme for light and dark, controls that need no kernel, a text alternative and the numbers.

Every figure goes through one of two calls, and neither works without a text alternative:

* :func:`show` shows a figure with a caption and a folded table of its numbers,
* :func:`explore` adds sliders. Every setting was drawn beforehand, so it moves with no kernel: in the rendered page, in a
  saved notebook, in an export. In the book's JupyterLab the kernel adds the settings between.

:func:`table`, :func:`markdown` and :func:`source` put numbers, sentences and library code on the page.

Figures are plain :class:`plotly.graph_objects.Figure` objects. They need not set any colour of background, axes or
text: :data:`LIGHT` and :data:`DARK` do, and the page swaps one for the other with its theme switch.
"""

from efficient_ai.plotting._assets import site_assets
from efficient_ai.plotting._carrier import bundle
from efficient_ai.plotting._component import for_site
from efficient_ai.plotting._control import Control
from efficient_ai.plotting._course import TIMES, follow
from efficient_ai.plotting._figures import explore, explore_html, live, show
from efficient_ai.plotting._progress import Progress
from efficient_ai.plotting._text import markdown, source, table
from efficient_ai.plotting._theme import (
    COLOURS,
    DARK,
    INK,
    LIGHT,
    OKABE_ITO,
    colour,
    figure,
    interval_band,
    rgba,
)

__all__ = [
    "COLOURS",
    "DARK",
    "INK",
    "LIGHT",
    "OKABE_ITO",
    "TIMES",
    "Control",
    "Progress",
    "bundle",
    "colour",
    "explore",
    "explore_html",
    "figure",
    "follow",
    "for_site",
    "interval_band",
    "live",
    "markdown",
    "rgba",
    "show",
    "site_assets",
    "source",
    "table",
]
