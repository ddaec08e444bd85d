"""The command `roost`. This package is where the parts are put together, so it alone of `app` may know the workers."""

import typer

from app.cli import backup, cluster, demo, finetune, gc, key, owner, search, serve, verify

app = typer.Typer(
    name="roost",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Roost sorts photo collections nobody has labelled.",
)
app.command("serve")(serve.serve)
app.command("worker")(serve.worker)
app.command("cluster")(cluster.cluster)
app.command("finetune")(finetune.finetune)
app.command("search")(search.search)
app.command("demo")(demo.demo)
app.command("verify")(verify.verify)
app.command("gc")(gc.gc)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.add_typer(key.app, name="key")
app.add_typer(owner.app, name="owner")


def main() -> None:
    app()
