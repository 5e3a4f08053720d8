"""The files a rendered page needs beside plotly.min.js."""

import json
from importlib import resources

from efficient_ai.plotting._theme import DARK, LIGHT


def site_assets() -> dict[str, bytes]:
    """Scripts and styles for the site's static folder, by file name.

    A page loads plotly.js, then ``eai-themes.js``, then ``eai-figures.js``, and the style sheet.
    """
    folder = resources.files("efficient_ai.plotting")
    themes = {"light": LIGHT.to_plotly_json(), "dark": DARK.to_plotly_json()}
    return {
        "eai-themes.js": f"window.eaiThemes = {json.dumps(themes)};\n".encode(),
        "eai-figures.js": (folder / "eai-figures.js").read_bytes(),
        "eai-figures.css": (folder / "eai-figures.css").read_bytes(),
    }
