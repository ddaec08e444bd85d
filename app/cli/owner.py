"""roost owner"""

import json
import re
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import failing_clearly
from app.cli.options import AsJson, Data

if TYPE_CHECKING:
    from app.owners.schemas import OwnerOut

app = typer.Typer(
    no_args_is_help=True,
    help="Whose the collections are, and how much each may keep.\n\n"
    "Example: roost owner set garden --bytes 10GB --images 100000 --jobs 4",
)
UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}
MOST = {"bytes": 2**63, "images": 2**31, "jobs": 2**31}


@app.command("list")
def listed(data: Data = None, as_json: AsJson = False) -> None:
    """Name every owner, with what is used of the quota.

    Example: roost owner list --data ~/roost
    """
    from app.maintenance.owner import opened, settings
    from app.owners import repository, service

    with failing_clearly("owner list"), opened(settings(data)) as res, res.database.reading() as session:
        owners = service.shown(session, repository.every(session))
    if as_json:
        sys.stdout.write(json.dumps({"owners": [one.model_dump(mode="json") for one in owners]}) + "\n")
    else:
        print("\n".join(_line(one) for one in owners))


@app.command("set")
def change(
    name: Annotated[str, typer.Argument(help="The owner's name.")],
    size: Annotated[
        str | None, typer.Option("--bytes", help="Most bytes of originals, as 10GB; none: no limit.")
    ] = None,
    images: Annotated[str | None, typer.Option(help="Most images; none: no limit.")] = None,
    jobs: Annotated[str | None, typer.Option(help="Most jobs that wait or run at once; none: no limit.")] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Set or lift an owner's limits. What is over a new limit stays; only nothing more is taken.

    Example: roost owner set garden --bytes 10GB --images 100000 --jobs none
    """
    from app.access.audit_log import record_command
    from app.maintenance.owner import opened, settings
    from app.owners import repository, service
    from app.owners.schemas import OwnerPatch

    given = {"bytes": size, "images": images, "jobs": jobs}
    patch = OwnerPatch.model_validate({one: _limit(one, text) for one, text in given.items() if text is not None})
    if not patch.model_fields_set:
        raise typer.BadParameter("give --bytes, --images or --jobs")
    with failing_clearly("owner set"), opened(settings(data)) as res, res.database.transaction() as session:
        owner = service.edit(repository.named(session, name), patch)
        record_command(session, "roost owner set", name)
        shown = service.shown(session, [owner])[0]
    print(json.dumps(shown.model_dump(mode="json")) if as_json else _line(shown))


def _limit(option: str, text: str) -> int | None:
    """A number, of bytes with a unit too: GB is a thousand million, GiB is 2 to the 30."""
    if text.lower() == "none":
        return None
    unit = r"([KMGT]I?|)B?" if option == "bytes" else "()"
    found = re.fullmatch(rf"(\d+(?:\.\d+)?)\s*{unit}", text.strip().upper())
    limit = float(found[1]) * UNITS[found[2]] if found else -1.0
    if not found or limit >= MOST[option] or limit != int(limit):
        raise typer.BadParameter(f"{text!r}: give a number, or none for no limit", param_hint=f"--{option}")
    return int(limit)


def _line(owner: "OwnerOut") -> str:
    uses = {"bytes": owner.bytes, "images": owner.images, "jobs": owner.jobs}
    told = (f"{use.used:,} of {'any' if use.limit is None else f'{use.limit:,}'} {unit}" for unit, use in uses.items())
    return f"{owner.name}: {', '.join(told)}"
