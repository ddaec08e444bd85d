"""python -m app.cli, the same as roost."""

from app.cli import main

main()
