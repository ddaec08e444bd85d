"""Write the migration that brings yesterday's schema to today's tables: python -m app.db.revise "what changes"."""

import sys
import tempfile

from alembic import command

from app.db.migrate import config, migrate
from app.db.session import Database


def main(message: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/schema.db")
        migrate(database)
        with database.engine.connect() as connection:
            alembic = config()
            alembic.attributes["connection"] = connection
            command.revision(alembic, message, autogenerate=True)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or sys.exit("say what changes, for example: python -m app.db.revise 'add tags'"))
