"""Asking for a fine-tuning: everything that can be wrong is said before a job starts."""

import json
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session
from starlette.responses import Response

from app.collections import repository as collections_repository
from app.collections import service as collections_service
from app.db.tables import Encoder, Job
from app.encoders import repository, service
from app.encoders.methods import METHODS, checked
from app.encoders.schemas import EncoderIn, MethodOut
from app.errors import Conflict, Invalid, Unavailable
from app.idempotency import Once
from app.ids import new_id
from app.images import repository as images
from app.jobs import ledger
from app.jobs import service as jobs_service
from app.jobs.schemas import JobOut
from app.resources import Resources
from app.storage.kept import removed_unless_kept
from models import registry
from models.ssl.params import LEAST_IMAGES

KIND = "finetune"


def accept(res: Resources, collection_id: UUID, body: EncoderIn, once: Once, request_id: str | None) -> Response:
    """The job that fine-tunes. Labels go to a blob of its own, and never among its parameters."""
    with res.database.reading() as session:
        collections_repository.get(session, collection_id)
    method = METHODS.get(body.method)
    fingerprint = json.dumps(body.model_dump(), sort_keys=True)
    key = f"{collections_service.prefix(collection_id)}/inputs/{new_id()}.json" if body.labels else None
    with removed_unless_kept(res.storage, [key] if key else []) as keep:
        if key:
            res.put_json(key, body.labels)
        with res.database.transaction() as session:

            def work() -> tuple[JobOut, str]:
                job = _submit(session, res, collection_id, method, body, request_id)
                job.input_key = key
                return jobs_service.shown(session, job), f"/v1/jobs/{job.id}"

            answer = once.answer(session, fingerprint, 202, work)
            keep(not once.repeated)
        return answer


def _submit(
    session: Session, res: Resources, collection_id: UUID, method: MethodOut, body: EncoderIn, request_id: str | None
) -> Job:
    """`given` names the parameters that the person chose: a default that does not suit the gallery may give way."""
    collections_repository.get(session, collection_id, lock=True)  # or two requests might take one name
    base = repository.named(session, body.base, collection_id)
    params = checked(method, body.params)
    _check_base(res, base, method)
    _check_images(session, collection_id, body)
    plan: dict[str, Any] = {
        "method": method.name,
        "base": str(base.id),
        "params": params,
        "given": sorted(body.params),
        "name": _name(session, collection_id, body.name, method.name),
    }
    return ledger.submit(
        session,
        KIND,
        collection_id=collection_id,
        params=plan,
        request_id=request_id,
        lock=collections_service.training_lock(collection_id),
        queue=res.settings.embed_queue,
    )


def _check_base(res: Resources, base: Encoder, method: MethodOut) -> None:
    if base.origin == service.FINETUNED:
        raise Invalid(
            f"{base.name} is itself fine-tuned; start from a built-in or hub encoder.", code="encoder_untrainable"
        )
    plugin = service.plugin(res.storage, base)
    if "vit" in method.needs and not plugin.transformer:
        raise Invalid(
            f"{method.name} needs a vision transformer, and {base.name} is a convolutional network; "
            "choose another base or method.",
            code="method_needs_vit",
        )
    if reason := plugin.unavailable():
        raise Unavailable(reason, code="encoder_unavailable")


def _check_images(session: Session, collection_id: UUID, body: EncoderIn) -> None:
    """Those that are still to be decoded count: they will be ready, or the job says so."""
    there = sum(images.count(session, collection_id, status) for status in ("ready", "pending"))
    if there < LEAST_IMAGES:
        raise Conflict(
            f"The collection has {there} usable images; fine-tuning needs at least {LEAST_IMAGES}.",
            code="collection_too_small",
        )
    if body.params.get("batch_size", 0) > there:
        raise Invalid(
            f"params.batch_size is {body.params['batch_size']}, but the collection has only {there} images.",
            code="batch_too_large",
        )
    if body.labels and not images.any_named(session, collection_id, body.labels):
        raise Invalid(
            "None of the labels belongs to an image of this collection; use the images' names or ids.",
            code="labels_unknown",
        )


def _name(session: Session, collection_id: UUID, wanted: str | None, method: str) -> str:
    """The name asked for, or the first free one of the method's. Trainings under way have theirs already."""
    taken = repository.names(session, collection_id) | set(registry.names("encoders"))
    if wanted is None:
        return next(name for n in range(1, len(taken) + 2) if (name := f"{method}-{n}") not in taken)
    if wanted in taken:
        raise Conflict(f"There is an encoder {wanted!r} already, or one in the making.", code="encoder_name_taken")
    return wanted
