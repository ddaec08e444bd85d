"""What is known of the installation, without a scan per request and without torch."""

import platform
import shutil
from importlib.metadata import version
from typing import Literal
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from app.db.caller import ANYBODY, CALLER
from app.imports.allowed import entries
from app.resources import Resources
from app.settings import Settings
from app.system import repository
from app.system.repository import Totals
from app.system.schemas import LimitsOut, StorageOut, SystemOut, WorkerOut
from models.engines import nvidia_driver
from models.images import MAX_PIXELS


def shown(session: Session, res: Resources, totals: Totals) -> SystemOut:
    settings = res.settings
    return SystemOut(
        version=version("roost"),
        python=platform.python_version(),
        device=_device(settings),
        database="sqlite" if res.database.engine.dialect.name == "sqlite" else "postgresql",
        broker="embedded" if settings.embedded else "redis",
        storage=_storage(session, res, totals),
        workers=[
            WorkerOut(name=row.name, queues=row.queues.split(","), last_seen=row.seen_at)
            for row in repository.workers(session)
        ],
        open=CALLER.get() in (None, ANYBODY),
        import_hosts=entries(settings.import_hosts),
        limits=_limits(settings),
    )


def _device(settings: Settings) -> Literal["auto", "cpu", "cuda"]:
    """What the setting says. Only of an embedded worker is it known here that it finds no GPU."""
    if settings.device == "auto" and settings.embedded and not nvidia_driver():
        return "cpu"
    return settings.device


def _storage(session: Session, res: Resources, totals: Totals) -> StorageOut:
    images, size = totals.get(session)
    if urlsplit(res.settings.resolved_storage_url).scheme != "file":
        return StorageOut(kind="s3", images=images, bytes=size, free=None, total=None)
    disk = shutil.disk_usage(res.storage.local(""))
    return StorageOut(kind="local", images=images, bytes=size, free=disk.free, total=disk.total)


def _limits(settings: Settings) -> LimitsOut:
    return LimitsOut(
        file_bytes=settings.max_file_bytes,
        pixels=MAX_PIXELS,
        upload_files=settings.max_upload_files,
        archive_bytes=settings.max_archive_bytes,
        archive_members=settings.max_archive_members,
        archive_ratio=settings.max_archive_ratio,
    )
