"""``python -m hooklatch``: the command line."""

import sys

from hooklatch.cli import main

if __name__ == "__main__":
    sys.exit(main())
