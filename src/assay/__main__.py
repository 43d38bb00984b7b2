"""The command line's entry: `assay`, or `python -m assay`."""

from assay.cli.app import main

if __name__ == "__main__":
    main()
