"""If-Match: what people edit is changed only by who has seen its newest state."""

from app.errors import PreconditionFailed, PreconditionRequired


def check(etag: str, if_match: str | None, what: str, *, required: bool = True) -> None:
    """`etag`: the newest state's; `what` begins a sentence. Raises PreconditionRequired, PreconditionFailed."""
    if if_match is None:
        if required:
            raise PreconditionRequired(
                "Send If-Match with the ETag that GET gave, so that no one's change is overwritten."
            )
        return
    if if_match.strip() != "*" and etag not in [tag.strip() for tag in if_match.split(",")]:
        raise PreconditionFailed(f"{what} has changed since; GET it again and repeat yours.")
