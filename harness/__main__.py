"""Run the command `harness` as `python -m harness`."""

from harness.cli import main

main()
