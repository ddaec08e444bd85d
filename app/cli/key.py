"""roost key create, list and revoke"""

import json
import re
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from app.cli.failures import failing_clearly
from app.cli.options import AsJson, Data

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.db.tables import ApiKey

app = typer.Typer(
    no_args_is_help=True,
    help="Make, list and revoke the keys of a service; also while it runs.\n\n"
    "Example: roost key create laptop --scope admin",
)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}
_LONGEST = timedelta(days=3650)


def _lifetime(text: str) -> timedelta:
    match = re.fullmatch(r"([0-9]{1,6})([hd])", text)
    found = int(match[1]) * _UNITS[match[2]] if match else timedelta(0)
    if not timedelta(0) < found <= _LONGEST:
        raise typer.BadParameter("give hours or days, for example 12h or 90d, at most 3650d")
    return found


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What the key is for, to know it by.")],
    scope: Annotated[
        Literal["read", "write", "admin"], typer.Option(help="read looks, write changes, admin manages keys.")
    ] = "write",
    owner: Annotated[
        str, typer.Option(help="Whose collections it opens; made if there is none of this name.")
    ] = "local",
    expires: Annotated[
        timedelta | None, typer.Option(parser=_lifetime, help="How long it holds, for example 90d; else for ever.")
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and show it, this once. With the first one the service is open to nobody else any more.

    Example: roost key create "camera script" --scope write --expires 90d --data ~/roost
    """
    from pydantic import TypeAdapter, ValidationError

    from app.access import keys
    from app.access.audit_log import record_command
    from app.maintenance import owner as maintenance
    from app.text import Line

    try:
        name, owner = (TypeAdapter(Line).validate_python(one) for one in (name, owner))
    except ValidationError as error:
        raise typer.BadParameter(f"a name of 1 to 200 characters, please: {error.errors()[0]['msg']}") from error
    res = maintenance.begun(maintenance.settings(data))
    with failing_clearly("key create"), res as opened, opened.database.transaction() as session:
        made = keys.make(session, name, scope, keys.owner(session, owner, make=True), expires)
        record_command(session, "roost key create", name)
        shown = _shown(session, [made.row])[0]
    if as_json:
        sys.stdout.write(json.dumps({**shown, "key": made.text}) + "\n")
        return
    print(made.text)
    ends = f", until {made.row.expires_at:%Y-%m-%d %H:%M} UTC" if made.row.expires_at else ""
    print(
        f"This is the key {name!r} of {owner}, scope {scope}{ends}. It is shown this once: keep it where passwords are "
        "kept. Send it as\n  Authorization: Bearer KEY\nor log in with it on the page.",
        file=sys.stderr,
    )


@app.command("list")
def listed(data: Data = None, as_json: AsJson = False) -> None:
    """List all keys, oldest first: whose they are, what they may do, whether they hold.

    Example: roost key list --data ~/roost
    """
    from app.access import keys
    from app.maintenance import owner as maintenance

    res = maintenance.opened(maintenance.settings(data))
    with failing_clearly("key list"), res as opened, opened.database.reading() as session:
        shown = _shown(session, keys.every(session))
    if as_json:
        sys.stdout.write(json.dumps({"keys": shown}) + "\n")
        return
    for one in shown:
        ends = f", until {one['expires_at']}" if one["expires_at"] else ""
        print(f"{one['id']}  {one['state']:<7}  {one['scope']:<5}  {one['owner']}  {one['name']}{ends}")
    if not shown:
        print("There are no keys: the service is open to whoever uses this machine.", file=sys.stderr)


@app.command("revoke")
def revoke(
    key: Annotated[str, typer.Argument(metavar="NAME_OR_ID", help="The key's name, or its id of roost key list.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Revoke a key: from the next request on neither it nor a log-in made with it holds.

    Example: roost key revoke "camera script" --data ~/roost
    """
    from app.access import keys
    from app.access.audit_log import record_command
    from app.maintenance import owner as maintenance

    res = maintenance.opened(maintenance.settings(data))
    with failing_clearly("key revoke"), res as opened, opened.database.transaction() as session:
        row = keys.named(session, key)
        keys.revoke(session, row)
        record_command(session, "roost key revoke", row.name)
        shown = _shown(session, [row])[0]
    if as_json:
        sys.stdout.write(json.dumps(shown) + "\n")
    else:
        print(f"{shown['id']}  {shown['name']}: revoked")


def _shown(session: "Session", rows: "list[ApiKey]") -> list[dict[str, Any]]:
    from app.access import service

    return [one.model_dump(mode="json") for one in service.shown(session, rows)]
