"""What every commit must keep: the hooks of pre-commit pass on all files and can fail; licences and citation are whole."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

from efficient_ai.data import DATASETS

ROOT = Path(__file__).parents[1]


def git(folder, *arguments):
    # No configuration of the user's: a signing key or a hook of theirs is not ours to use.
    identity = ("-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")
    environment = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    environment = {
        key: value for key, value in environment.items() if key not in ("GIT_DIR", "GIT_INDEX_FILE")
    }
    return subprocess.run(
        ["git", *identity, *arguments],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def repository(folder):
    """An empty git repository with our hooks and this environment as its .venv."""
    git(folder, "init", "-q")
    for name in (".pre-commit-config.yaml", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(sys.prefix)
    git(folder, "add", ".pre-commit-config.yaml", "pyproject.toml")
    return folder


def run_hooks(folder, tmp_path_factory):
    environment = os.environ | {"PRE_COMMIT_HOME": str(tmp_path_factory.mktemp("pre-commit"))}
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", "--all-files", "--color=never"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def hooks(tmp_path, tmp_path_factory):
    folder = repository(tmp_path)
    return folder, lambda: run_hooks(folder, tmp_path_factory)


def test_all_files_pass_the_hooks(tmp_path, tmp_path_factory):
    """All files pass ruff (lines up to 110; in notebooks 88, formatted to 80), notebooks carry no outputs, and no file but a data excerpt is above 2 MB."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so there is no list of the files that belong to the book")
    repository(tmp_path)
    for name in git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if name and (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
            git(tmp_path, "add", "--force", name)
    result = run_hooks(tmp_path, tmp_path_factory)
    assert result.returncode == 0, result.stdout + result.stderr


def _notebook(code, outputs=()):
    cell = nbformat.v4.new_code_cell(code, outputs=list(outputs))
    return nbformat.writes(nbformat.v4.new_notebook(cells=[cell])) + "\n"


def test_every_hook_fails_on_its_bad_files(hooks):
    folder, run = hooks
    output = nbformat.v4.new_output("stream", text="1\n")
    bad = {
        "unused.py": "import os\n",
        "unused.ipynb": _notebook("import os"),
        "ugly.py": "x = [ 1,2 ]\n",
        "ugly.ipynb": _notebook("x = [ 1,2 ]"),
        "outputs.ipynb": _notebook("print(1)", [output]),
        "large.bin": "x" * 2_100_000,
    }
    for name, content in bad.items():
        (folder / name).write_text(content)
    git(folder, "add", *bad)
    result = run()
    assert result.returncode == 1
    failed = [line.split(": ")[1] for line in result.stdout.splitlines() if line.startswith("- hook id: ")]
    assert failed == ["notebook-outputs", "ruff-check", "ruff-format", "large-files"], result.stdout
    for said in (
        "unused.py:1",
        "unused.ipynb:cell 1:1",
        "2 files reformatted",
        "large.bin (2051 KB) exceeds 2000 KB",
    ):
        assert said in result.stdout, result.stdout
    changed = {name for name, content in bad.items() if (folder / name).read_text() != content}
    assert changed == {"ugly.py", "ugly.ipynb", "outputs.ipynb"}
    stripped = nbformat.read(folder / "outputs.ipynb", as_version=4).cells[0]
    assert stripped.outputs == [] and stripped.id in bad["outputs.ipynb"], (
        "the output goes, the name of the cell stays"
    )


def test_good_files_and_a_large_data_excerpt_pass(hooks):
    folder, run = hooks
    data = folder / "lib" / "efficient_ai" / "data" / "files" / "excerpt.npz"
    data.parent.mkdir(parents=True)
    data.write_bytes(b"x" * 3_000_000)
    (folder / "good.py").write_text("x = [1, 2]\n")
    (folder / "good.ipynb").write_text(_notebook("x = 1"))
    git(folder, "add", str(data), "good.py", "good.ipynb")
    result = run()
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_hooks_need_nothing_from_elsewhere():
    settings = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    for source in settings["repos"]:
        assert source["repo"] == "local"
        for hook in source["hooks"]:
            assert hook["language"] == "system" and hook["entry"].startswith(".venv/bin/")


def test_the_licence_covers_code_text_and_every_data_excerpt():
    text = (ROOT / "LICENSE").read_text()
    assert "BSD 3-Clause License" in text and "creativecommons.org/licenses/by/4.0" in text
    for dataset in DATASETS.values():
        name = dataset.title.split(",")[0]
        assert name in text, f"LICENSE says nothing about {name}"
        assert dataset.licence.split()[0] in text


def test_the_citation_names_title_version_and_licences():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert citation["title"] == "Efficient AI at Scale: ten papers you can run"
    assert f'version = "{citation["version"]}"' in (ROOT / "pyproject.toml").read_text()
    assert citation["license"] == ["BSD-3-Clause", "CC-BY-4.0"]


def test_core_knows_no_paper():
    """Arrows point one way: nothing in core, the builder aside, imports the sub-package of a paper."""
    papers = {path.stem for path in (ROOT / "book" / "chapters").glob("*.ipynb")}
    library = ROOT / "lib" / "efficient_ai"
    core = [path for path in library.rglob("*.py") if path.relative_to(library).parts[0] not in papers]
    named = re.compile(rf"^\s*(from|import) +efficient_ai\.({'|'.join(papers)})\b|from efficient_ai import .*\b({'|'.join(papers)})\b", re.M)  # fmt: skip
    assert len(papers) > 3 and len(core) > 30
    assert [str(path) for path in core if named.search(path.read_text(encoding="utf-8"))] == []
