"""The body of one request on its way to disk: a piece is safe, and said to be, as soon as it is full."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from app.bodies import stream
from app.db.tables import Upload
from app.errors import Conflict, TooLarge
from app.images import service as images
from app.images.staging import Staged, Stager
from app.resources import Resources
from app.room import Room
from app.uploads import service
from app.uploads.checksum import Checksum
from app.uploads.under_way import UnderWay


async def receive(
    request: Request, res: Resources, upload: Upload, checksum: Checksum | None, request_id: str | None
) -> None:
    """Take the body from `upload.received` on. What has come when the connection is cut is kept as well, and when
    somebody asks how far the upload is: to them it is.

    With a checksum nothing is kept before the whole body has come and was found right, as tus demands.
    Raises TooLarge, Conflict (upload_offset, upload_asked), ChecksumMismatch, StorageFull; committed pieces stay.
    """
    body = Body(res, upload, checksum, request_id)
    under_way: UnderWay = request.app.state.under_way
    with under_way.bringing(upload.id) as bringing:
        try:
            try:
                async for chunk in bringing.until_asked(stream(request, Room(body.left, too_long(upload)))):
                    await run_in_threadpool(body.write, chunk)
            except ClientDisconnect:
                if checksum is None:
                    await run_in_threadpool(body.finish)
                raise
            if not (bringing.asked.is_set() and checksum):
                await run_in_threadpool(body.finish)
        finally:
            body.drop()
    if bringing.asked.is_set() and body.left:
        raise Conflict("Somebody asked how far the upload is; go on from there.", code="upload_asked")


class Body:
    """Cuts what is written into pieces. The last of the upload waits for the body's end, in case there is too much."""

    def __init__(self, res: Resources, upload: Upload, checksum: Checksum | None, request_id: str | None) -> None:
        self.res, self.upload, self.checksum, self.request_id = res, upload, checksum, request_id
        self.left = upload.size - upload.received
        self._safe = upload.received  # bytes that are committed
        self._stager: Stager | None = None
        self._waiting: list[Staged] = []

    def write(self, chunk: bytes) -> None:
        self.left -= len(chunk)
        if self.checksum:
            self.checksum.update(chunk)
        most, view = self.res.settings.upload_piece_bytes, memoryview(chunk)
        while view:
            stager = self._stager = self._stager or Stager(self.res.settings.scratch, self.upload.name, most)
            room = most - stager.size
            stager.write(bytes(view[:room]))
            view = view[room:]
            if stager.size == most:
                self._full(last=self.left == 0 and not view)

    def finish(self) -> None:
        """The body has come to its end, or to an early one."""
        self._end_piece()
        if self.checksum:
            self.checksum.verify()
        self._keep_waiting()

    def drop(self) -> None:
        """Remove from scratch what was not kept."""
        if self._stager:
            self._stager.drop()
        images.discard(self._waiting)

    def _full(self, *, last: bool) -> None:
        self._end_piece()
        if not self.checksum and not last:
            self._keep_waiting()

    def _end_piece(self) -> None:
        if self._stager:
            staged, self._stager = self._stager.finish(), None
            self._waiting.append(staged)

    def _keep_waiting(self) -> None:
        while self._waiting:
            staged = self._waiting[0]
            service.keep(self.res, self.upload, self._safe, staged, self.request_id)
            self._safe += staged.size
            self._waiting.pop(0)


def too_long(upload: Upload) -> TooLarge:
    return TooLarge(f"The upload has {upload.size} bytes, and this would be more.", code="upload_too_long")
