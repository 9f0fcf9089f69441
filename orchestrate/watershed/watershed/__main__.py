"""`python -m watershed` is `watershed`."""

from watershed.cli import main

main()
