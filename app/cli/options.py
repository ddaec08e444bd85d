"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[Path | None, typer.Option(help="The data folder. Default: ./data; or set ROOST_DATABASE_URL.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
