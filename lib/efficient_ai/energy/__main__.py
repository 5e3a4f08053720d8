"""The instrument under the chapter's name: ``python -m efficient_ai.energy run -- COMMAND``, see :mod:`efficient_ai.metering`."""

import sys

from efficient_ai.metering.__main__ import main

if __name__ == "__main__":
    sys.exit(main(program="python -m efficient_ai.energy"))
