"""The command line's entry: `assay`, or `python -m assay`."""

import gc
import os

# Threads of matrix products spin while they wait for each other: on a busy machine ten times the time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from assay.cli import app

YOUNG_OBJECTS = 20_000
"""New objects between two looks for circles: a run makes many, hardly any in circles."""


def main() -> None:
    """Run the command line and exit with its code."""
    gc.set_threshold(YOUNG_OBJECTS)
    try:
        app.main()
    finally:
        # What is left goes with the process: looking through it once more would take 0.2 s of every command.
        gc.freeze()


if __name__ == "__main__":
    main()
