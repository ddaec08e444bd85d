"""python -m app.cli, the same as roost."""

from app.cli import main

if __name__ == "__main__":  # the processes that make views import this module too
    main()
