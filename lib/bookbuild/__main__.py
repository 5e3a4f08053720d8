"""The builder's commands, called by the Makefile: ``python -m bookbuild book``."""

import argparse
import os
import subprocess
import sys

from bookbuild.layout import PROFILES, BuildError, Layout


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bookbuild", description="Builds the book.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, explanation: str, profile: bool = True) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=explanation, description=explanation)
        if profile:
            added.add_argument("--profile", choices=PROFILES, default="laptop", help="size of the runs")
        return added

    for name, explanation in (
        ("execute", "Execute the chapters that changed."),
        ("book", "Execute what changed, render the site, say where it is."),
    ):
        added = command(name, explanation)
        added.add_argument("--limit", type=float, help="seconds that one chapter may take")
        added.add_argument("--chapter", action="append", help="only this chapter (may be repeated)")
    command("assets", "Install the scripts and fonts that the site needs.", profile=False)
    command("site", "Render the site from the executed chapters.")
    command("lab", "Open JupyterLab on the book.", profile=False)
    command("assignments", "Write the students' versions of the exercises.", profile=False)
    recording = command(
        "record", "Keep the full runs of this build as the record, and write claims.csv.", profile=False
    )
    recording.add_argument(
        "chapter", nargs="*", help="only these; all full runs that are there if none is named"
    )
    serving = command("serve", "Show the built site on a local port.")
    serving.add_argument("--port", type=int, default=8000)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns the exit code; what a reader has to mend is printed without a traceback."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options, Layout.here())
    except BuildError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; what was finished is kept", file=sys.stderr)
        return 130


def _run(options: argparse.Namespace, layout: Layout) -> int:
    # Each command imports what it needs: `make serve` should not wait for Sphinx.
    if options.command in ("execute", "book"):
        from bookbuild.execute import check, execute

        outcomes = execute(layout, options.profile, options.chapter, options.limit)
        check(outcomes)
        executed = sum(outcome.executed for outcome in outcomes)
        print(f"chapters: {executed} executed, {len(outcomes) - executed} unchanged")
    if options.command in ("site", "book"):
        from bookbuild.render import render

        index = render(layout, options.profile)
        print(f"\nThe site is at  {index}\nOpen the file, or call  make serve  (search needs it)")
    if options.command == "assets":
        from bookbuild.assets import install

        print(f"assets are in {install(layout)}")
    if options.command == "record":
        from bookbuild.record import record

        for path in record(layout, options.chapter):
            print(path.relative_to(layout.root))
    if options.command == "serve":
        from bookbuild.serve import serve

        serve(layout.site(options.profile) / "html", options.port)
    if options.command == "lab":
        as_root = ["--allow-root"] if os.geteuid() == 0 else []
        start = "--LabApp.default_url=/lab/tree/book/index.md"
        return subprocess.call([sys.executable, "-m", "jupyterlab", start, *as_root], cwd=layout.root)
    if options.command == "assignments":
        return subprocess.call([sys.executable, "-m", "bookbuild._assignments"], cwd=layout.root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
