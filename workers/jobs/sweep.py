"""Remove the files of what was deleted."""

from workers.context import Context


def run(context: Context) -> None:
    context.progress("sweep", 0, 1, "folders")
    context.storage.delete(context.job.params["prefix"])
    with context.succeed({}):
        pass
