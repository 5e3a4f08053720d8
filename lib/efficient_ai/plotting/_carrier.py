"""What draws figures in a notebook: plotly.js, themes, style and script, carried by the output of one cell.

A saved notebook holds it once, so that it can be opened with no kernel, exported, or sent to somebody: 2 MB, packed.
"""

import base64
import gzip
import json
from functools import cache
from importlib import resources

from IPython import get_ipython

from efficient_ai.plotting._assets import site_assets

_UNPACK = """<script class='eai-carrier'>(async function(){
if(window.eaiDraw)return window.eaiDraw();if(window.eaiCarried)return;window.eaiCarried=true;
const bytes=Uint8Array.from(atob(%s),function(c){return c.charCodeAt(0)});
const stream=new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
const script=document.createElement("script");script.textContent=await new Response(stream).text();
document.head.append(script);})();</script>"""

_carriers: set[str] = set()  # the cells of this kernel whose output carries it


@cache
def bundle() -> bytes:
    """One script with all that a figure needs, for a document that has none of it."""
    assets = site_assets()
    style = json.dumps(assets["eai-figures.css"].decode())
    plotly = (resources.files("plotly") / "package_data" / "plotly.min.js").read_bytes()
    put = f"(function(){{const s=document.createElement('style');s.textContent={style};document.head.append(s);}})();\n"
    return b"\n".join([plotly, assets["eai-themes.js"], put.encode(), assets["eai-figures.js"]])


@cache
def packed() -> str:
    """The bundle as an element of a page."""
    return _UNPACK % json.dumps(base64.b64encode(gzip.compress(bundle(), 9, mtime=0)).decode())


def carried() -> str:
    """The packed bundle for the first cell of this kernel that shows a figure, whenever it runs; nothing for all others."""
    cell = _cell()
    if _carriers and cell not in _carriers:
        return ""
    _carriers.add(cell)
    return packed()


def _cell() -> str:
    """Name of the cell that runs, where the front end tells it; else the number of its run."""
    shell = get_ipython()
    if shell is None:
        return ""
    header = getattr(shell, "parent_header", None) or {}
    return header.get("metadata", {}).get("cellId") or f"run {shell.execution_count}"
