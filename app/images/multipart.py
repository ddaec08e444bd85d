"""multipart/form-data read as a stream: each file goes to scratch as it comes, so memory stays flat."""

from collections.abc import Callable
from email.message import Message
from pathlib import Path

import python_multipart as multipart
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from app.bodies import stream
from app.errors import Invalid, TooLarge
from app.images.schemas import UploadItem
from app.images.staging import FileTooLarge, Staged, Stager, too_large
from app.room import Room
from app.text import printable

MAX_FIELD_BYTES = 64 * 1024
MAX_FIELDS = 20  # that are no files; what Roost asks for are at most two
MULTIPART_BYTES = 2**20  # what boundaries, names and fields may add to the files of a body
MAX_HEADER_BYTES = 32 * 1024  # a name of 4096 characters has up to 16 KB; the parser's default would refuse it


class Receiver:
    """Takes the parser's events. Files of the wanted field are staged; what is too large is refused by name."""

    def __init__(self, scratch: Path, field: str, max_files: int, max_bytes: int) -> None:
        self.scratch, self.field, self.max_files, self.max_bytes = scratch, field, max_files, max_bytes
        self.received: list[Staged | UploadItem] = []  # in the order they came, staged or refused for their size
        self.fields: dict[str, str] = {}
        self._stager: Stager | None = None
        self._headers = Message()
        self._name = self._value = b""
        self._text: bytearray | None = None
        self._text_name = ""
        self.complete = False

    @property
    def staged(self) -> list[Staged]:
        return [one for one in self.received if isinstance(one, Staged)]

    def callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_part_begin": self._begin,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_end": self._finished,
        }

    def drop(self) -> None:
        """Forget everything received: the request came to nothing."""
        if self._stager:
            self._stager.drop()
        for staged in self.staged:
            staged.path.unlink(missing_ok=True)

    def _begin(self) -> None:
        self._headers, self._stager, self._text = Message(), None, None

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._name = self._value = b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", ""))
        field, name = options.get(b"name", b""), options.get(b"filename")
        if name is None:
            if (text_name := field.decode("utf-8", "replace")) not in self.fields and len(self.fields) >= MAX_FIELDS:
                raise Invalid(f"There are more than {MAX_FIELDS} fields besides the files.", code="multipart_invalid")
            self._text, self._text_name = bytearray(), text_name
        elif field.decode("utf-8", "replace") == self.field:
            if len(self.received) >= self.max_files:
                raise TooLarge(
                    f"More than {self.max_files} files in one upload; send several, or an archive.",
                    code="too_many_files",
                )
            shown = printable(name.decode("utf-8", "replace"))[:4096] or "unnamed"
            self._stager = Stager(self.scratch, shown, self.max_bytes)

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._stager:
            try:
                self._stager.write(data[start:end])
            except FileTooLarge:
                self.received.append(too_large(self._stager.name, self.max_bytes))
                self._stager = None
        elif self._text is not None:
            self._text += data[start:end]
            if len(self._text) > MAX_FIELD_BYTES:
                raise Invalid("A form field is too long.", code="multipart_invalid")

    def _end(self) -> None:
        if self._stager:
            self.received.append(self._stager.finish())
            self._stager = None
        elif self._text is not None:
            self.fields[self._text_name] = self._text.decode("utf-8", "replace")

    def _finished(self) -> None:
        self.complete = True


async def receive(request: Request, receiver: Receiver, room: Room) -> None:
    """Read the whole body into the receiver. On any error nothing of it is left on disk.

    Raises Invalid (multipart_invalid), TooLarge (too_many_files), StorageFull, and what `room` refuses with.
    """
    _, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if not boundary:
        raise Invalid("multipart/form-data needs a boundary in Content-Type.", code="multipart_invalid")
    try:
        parser = multipart.MultipartParser(
            boundary,
            receiver.callbacks(),  # type: ignore[arg-type]
            max_header_size=MAX_HEADER_BYTES,
        )
        async for chunk in stream(request, room):
            await run_in_threadpool(parser.write, chunk)
        if not receiver.complete:
            raise Invalid("The multipart body ends before its last boundary.", code="multipart_invalid")
    except FormParserError as error:
        receiver.drop()
        raise Invalid(f"The multipart body can't be read: {error}.", code="multipart_invalid") from error
    except BaseException:
        receiver.drop()
        raise
