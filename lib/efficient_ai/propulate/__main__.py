"""``python -m efficient_ai.propulate report FOLDER``: what a search found, also while it runs."""

import argparse
import sys
from pathlib import Path

from efficient_ai._files import write_atomic
from efficient_ai.propulate import report


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 0, or 2 where the folder holds no run."""
    parser = argparse.ArgumentParser(prog="python -m efficient_ai.propulate", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    telling = commands.add_parser("report", help="a summary of a search, and a page with figures")
    telling.add_argument("folder", help="the checkpoint of the search")
    telling.add_argument(
        "--html", default="", help="write the page here (default: report.html in the folder)"
    )
    options = parser.parse_args(arguments)
    try:
        found = report.load(options.folder)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(found.text())
    target = Path(options.html or Path(options.folder) / "report.html")
    write_atomic(target, found.page().encode())
    print(f"figures: {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
