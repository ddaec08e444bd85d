"""Why nothing came from an address."""


class UrlFailed(Exception):
    """A stable code and a sentence that says what to do: url_refused, url_unreachable, url_timeout, url_status."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


def refused(detail: str) -> UrlFailed:
    """For what was not even asked, or whose answer is not taken."""
    return UrlFailed("url_refused", detail)


def unreachable(detail: str) -> UrlFailed:
    return UrlFailed("url_unreachable", detail)
