"""`python -m bridge.cli`, where the command is not installed."""

import sys

from bridge.cli import main

if __name__ == "__main__":
    sys.exit(main())
