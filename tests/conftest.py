"""Where the tests start their ranks."""

import os

# On this machine, also where a Slurm answers; the tests marked `slurm` ask for Slurm themselves.
os.environ.setdefault("EFFICIENT_AI_WHERE", "laptop")
