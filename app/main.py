"""The HTTP application: routers, lifespan, error handler."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, nullcontext
from importlib.metadata import version

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from app import health, logs, openapi, problems, tracing
from app.access import routes as access
from app.access.audit_log import AuditLog
from app.access.gate import Gate
from app.access.middleware import Access
from app.access.rates import RateLimit, Rates
from app.access.scopes import SCOPED
from app.access_log import AccessLog
from app.audit_log import routes as audit_log
from app.audits import routes as audits
from app.bodies import BodyLimit
from app.clusterings import routes as clusterings
from app.collections import routes as collections
from app.corrections import routes as corrections
from app.db.migrate import migrate
from app.duplicates import routes as duplicates
from app.encoders import repository as encoders_repository
from app.encoders import routes as encoders
from app.events import routes as events
from app.exports import routes as exports
from app.images import routes as images
from app.images.decoder import Decoder
from app.imports import routes as imports
from app.jobs import routes as jobs
from app.labels import routes as labels
from app.maps import routes as maps
from app.metrics import Meters
from app.outliers import routes as outliers
from app.owners import routes as owners
from app.resources import Resources
from app.samples import routes as samples
from app.search import routes as search
from app.search.service import Searcher
from app.settings import Settings
from app.silent_bodies import SilentBodies
from app.system import routes as system
from app.system.repository import Totals
from app.ui import routes as ui
from app.uploads import routes as uploads
from app.uploads.under_way import UnderWay

Companion = Callable[[Resources], AbstractContextManager[None]]


def create_app(
    settings: Settings | None = None,
    companion: Companion = lambda _: nullcontext(),
    hosts: frozenset[str] | None = None,
) -> FastAPI:
    """The application. `companion` lives as long as it does: `roost serve` hands in the embedded worker.

    `hosts`: while there are no keys, only requests to one of these names are answered; None for any.
    """
    settings = settings or Settings()
    logs.configure(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with ExitStack() as stack:
            res = Resources.open(settings)
            stack.callback(res.close)
            migrate(res.database)
            with res.database.transaction() as session:
                encoders_repository.register(session)
            app.state.resources, app.state.gate = res, Gate(res.database)
            app.state.decoder = Decoder(settings)
            app.state.under_way = UnderWay()
            stack.callback(app.state.decoder.close)
            app.state.searcher = Searcher(res, app.state.decoder)
            stack.enter_context(companion(res))
            yield

    app = FastAPIOffline(
        redoc_url=None,
        title="Roost",
        version=version("roost"),
        lifespan=lifespan,
        summary="Sorts photo collections nobody has labelled.",
    )
    app.state.meters = Meters()
    app.state.totals = Totals()
    tracing.trace_requests(app)
    app.state.rates = Rates(settings)
    problems.install(app)
    openapi.describe(app)
    # The last one added is the first to see a request.
    app.add_middleware(BodyLimit)
    app.add_middleware(SilentBodies, silence_s=settings.body_silence_s)
    app.add_middleware(RateLimit, rates=app.state.rates)
    app.add_middleware(Access, settings=settings, hosts=hosts)
    app.add_middleware(AuditLog)
    app.add_middleware(AccessLog, meters=app.state.meters)
    for feature in (
        collections,
        images,
        imports,
        uploads,
        encoders,
        clusterings,
        corrections,
        labels,
        audits,
        duplicates,
        events,
        exports,
        maps,
        outliers,
        search,
        samples,
        jobs,
        owners,
        audit_log,
        system,
        access,
        health,
        ui,
    ):
        app.include_router(feature.router, dependencies=[SCOPED])

    return app
