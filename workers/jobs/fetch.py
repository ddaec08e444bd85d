"""Fetch pictures from addresses into a collection, by the very way of an uploaded archive."""

import json
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path

from app.db.tables import Image
from app.ids import member_id
from app.images import repository, service
from app.images.staging import FileTooLarge, Staged, Stager, too_large
from app.imports.address import file_name, shown
from app.imports.allowed import AllowList
from app.imports.failure import UrlFailed
from app.imports.fetch import Fetcher
from app.storage import Storage
from workers.ahead import Ahead
from workers.archives import Member, MemberCorrupt
from workers.context import Context
from workers.jobs.ingest import bring
from workers.jobs.unpack import BATCH, Stage

AT_ONCE = 4


def run(context: Context) -> None:
    assert context.job.collection_id is not None and context.job.input_key is not None
    urls = json.loads(context.storage.local(context.job.input_key).read_text())
    stage = Stage("fetch", len(urls), "addresses")
    with closing(_members(context, urls, stage)) as fetched:
        bring(context, context.job.collection_id, fetched, stage)


def _members(context: Context, urls: list[str], stage: Stage) -> Generator[Member, None, None]:
    """One an address, in the order they were asked for; the name of one that failed is the address itself."""
    settings = context.settings
    fetcher = Fetcher(AllowList(settings.import_hosts), settings.import_seconds, settings.max_file_bytes)
    source = Source(context, fetcher, urls)
    taken = 0

    def tell() -> None:
        context.progress(stage.name, taken, stage.total, stage.unit)

    ahead = Ahead(source.member, len(urls), AT_ONCE, BATCH)
    with closing(ahead.results(tell)) as members:
        for member in members:
            taken += 1
            yield member
            tell()


class Source:
    """Makes members of addresses, in any thread. What an earlier attempt brought is not fetched again."""

    def __init__(self, context: Context, fetcher: Fetcher, urls: list[str]) -> None:
        self.context, self.fetcher, self.urls = context, fetcher, urls
        with context.database.reading() as session:
            self.before = {image.id: image for image in repository.of_job(session, context.job.id)}

    def member(self, number: int) -> Member:
        url = self.urls[number]
        if image := self.before.get(member_id(self.context.job.id, number)):
            return self._kept(number, image)
        try:
            return Member(number, file_name(url), _read(self._fetched(number, url).path))
        except UrlFailed as error:
            failure = error.code, error.detail
        except FileTooLarge:
            refused = too_large(url, self.fetcher.limit)
            failure = str(refused.code), str(refused.detail)
        return Member(number, shown(url), iter(()), failure)

    def _fetched(self, number: int, url: str) -> Staged:
        stager = Stager(self.context.folder, file_name(url), self.fetcher.limit, number)
        try:
            self.fetcher.fetch(url, stager.write)
            return stager.finish()
        except BaseException:
            stager.drop()
            raise

    def _kept(self, number: int, image: Image) -> Member:
        """The same content again, whatever the address has now: an image never changes."""
        key = service.original_key(image.collection_id, image.id, image.sha256)
        return Member(number, image.name, _stored(self.context.storage, key))


def _stored(storage: Storage, key: str) -> Iterator[bytes]:
    try:
        yield from _pieces(storage.local(key))
    except FileNotFoundError as error:
        raise MemberCorrupt("It was deleted while the import went on; ask for it again.") from error


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(2**20):
            yield piece


def _read(path: Path) -> Iterator[bytes]:
    """The bytes of a file that is not needed again."""
    try:
        yield from _pieces(path)
    finally:
        path.unlink(missing_ok=True)
