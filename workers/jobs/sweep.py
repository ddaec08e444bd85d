"""Remove the files of what was deleted."""

from app.failpoints import reached
from workers.context import Context


def run(context: Context) -> None:
    params = context.job.params
    prefixes = params.get("prefixes") or [params["prefix"]]  # the latter in jobs of version 0.1.0
    for done, prefix in enumerate(prefixes):
        context.progress("sweep", done, len(prefixes), "folders")
        context.storage.delete(prefix)
        reached("sweep.deleted")
    with context.succeed({}):
        pass
