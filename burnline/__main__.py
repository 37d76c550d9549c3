"""`python -m burnline` is the command `burnline`."""

from burnline.cli import main

main()
