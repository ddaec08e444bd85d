"""Draw the sample gallery into a collection, by the very way of an uploaded archive."""

from collections.abc import Generator
from contextlib import closing

from app.demo.pictures import pictures, shares
from workers.archives import Member
from workers.context import Context
from workers.jobs.ingest import bring
from workers.jobs.unpack import Stage


def run(context: Context) -> None:
    assert context.job.collection_id is not None
    stage = Stage("draw", context.job.params["images"], "images")
    with closing(_members(context, stage)) as drawn:  # closed at once when a person cancels: it ends its processes
        bring(context, context.job.collection_id, drawn, stage)


def _members(context: Context, stage: Stage) -> Generator[Member, None, None]:
    """The same in each attempt, so that one that goes on after a crash finds the images that it has brought."""
    with closing(pictures(context.job.params["seed"], shares(context.job.params["images"]))) as drawn:
        for number, picture in enumerate(drawn):
            context.progress(stage.name, number + 1, stage.total, stage.unit)
            yield Member(number, picture.name, iter([picture.data]))
