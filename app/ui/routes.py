"""The web page: one shell for every address of it, its files, and Plotly's script."""

from functools import cache
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from app.errors import NotFound
from app.ui import policy
from app.ui.assets import DRAFT, Asset, assets, plotly

router = APIRouter(include_in_schema=False)
_FOREVER = "public, max-age=31536000, immutable"


@router.get("/")
@router.get("/collections/{path:path}")
@router.get("/jobs")
@router.get("/settings")
def page() -> HTMLResponse:
    """The shell. Which view stands in it is read from the address, by the page itself."""
    return HTMLResponse(_shell(), headers=policy.HEADERS | {"Cache-Control": "no-cache"})


@router.get("/favicon.ico")
def favicon(request: Request) -> Response:
    return _sent(request, assets().files["roost.svg"], "public, max-age=86400")


@router.get("/ui/plotly.js")
def plotly_script(request: Request) -> Response:
    return _sent(request, plotly(), _FOREVER)


@router.get("/ui/{tag}/{path:path}")
def static(tag: str, path: str, request: Request) -> Response:
    """A file of the page. One of another version is gone: the page that asks for it is older than the service."""
    found = assets()
    if tag != found.version or path not in found.files:
        raise NotFound("This version of the page is gone; reload it.", code="page_outdated")
    return _sent(request, found.files[path], "no-store" if tag == DRAFT else _FOREVER)


def _sent(request: Request, file: Asset, caching: str) -> Response:
    headers = {"Cache-Control": caching, "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.packed, media_type=file.type, headers=headers | {"Content-Encoding": "gzip"})
    return Response(file.content, media_type=file.type, headers=headers)


def _shell() -> str:
    found = assets()
    return _template().render(
        url=found.url,
        modules=found.modules(),
        styles=sorted(path for path in found.files if path.startswith("style/")),
        version=version("roost"),
        plotly=f"/ui/plotly.js?v={version('plotly')}",
    )


@cache
def _template() -> Template:
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("shell.html")
