"""Fine-tune an encoder on a collection: train, publish it as one like any other, say whether it is better."""

import math
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.collections.service import checkpoints_folder, encoders_folder
from app.db.tables import Encoder
from app.encoders import repository, results, service
from app.encoders.schemas import HeldOut
from app.errors import full_disk_named
from app.failpoints import reached
from app.ids import new_id
from app.jobs import ledger
from app.jobs import repository as jobs
from app.jobs import training as epochs
from app.report import training as report
from models import registry
from models.encoders.finetuned import REPORT, fingerprint
from models.engines import open_engine
from models.ssl import compare
from models.ssl.finetune import Place, Request, Tuned, finetune
from models.ssl.launch import RankDied
from models.ssl.params import Params
from workers.checkpoints import StoredCheckpoints
from workers.context import Context, Crashed
from workers.jobs.collect import pictures


def run(context: Context) -> None:
    collection_id = context.job.collection_id
    assert collection_id is not None
    kept = f"{checkpoints_folder(collection_id)}/{context.job.id}"
    _forget_others(context, collection_id)
    request = _request(context, collection_id, kept)
    settings = context.settings
    place = Place(
        context.folder / "encoder",
        context.folder / "maps",
        settings.encoder_cache,
        settings.device,
        processes=settings.train_processes,
    )
    checkpoints = StoredCheckpoints(context, f"{kept}/states")
    try:
        tuned = finetune(request, place, context.progress, checkpoints, lambda record: _show(context, record))
    except RankDied as error:
        raise Crashed from error
    renewed = _renewed(context, collection_id, request, tuned, place)
    _publish(context, collection_id, request, tuned, renewed)
    context.storage.delete(kept)


def _show(context: Context, record: Mapping[str, float | None]) -> None:
    """An epoch's measures, for who follows the training. Progress is only what a checkpoint keeps. Raises LeaseLost."""
    with context.database.transaction() as session:
        ledger.heartbeat(session, context.job.id, context.job.attempt, context.settings.lease_s)
        epochs.keep(session, context.job.id, _plain(record))


def _forget_others(context: Context, collection_id: UUID) -> None:
    """Drop what trainings left that were cancelled or failed."""
    with context.database.reading() as session:
        going_on = {str(job.id) for job in jobs.unfinished(session, collection_id)}
    home = checkpoints_folder(collection_id)
    for key in list(context.storage.keys(home)):
        if key.removeprefix(f"{home}/").split("/")[0] not in going_on:
            context.storage.delete(key)


def _request(context: Context, collection_id: UUID, kept: str) -> Request:
    plan = context.job.params
    with context.database.reading() as session:
        base = service.plugin(context.storage, repository.get(session, UUID(plan["base"])))
    found: type[Params] = registry.load("ssl.methods", plan["method"]).Params
    params = found.model_validate({name: plan["params"][name] for name in plan["given"]})
    return Request(plan["name"], plan["method"], base, params, pictures(context, collection_id, kept))


def _renewed(
    context: Context, collection_id: UUID, request: Request, tuned: Tuned, place: Place
) -> list[tuple[Encoder, str, dict[str, Any]]]:
    """Other encoders of the comparison, measured on the newest held-out images: row, SHA-256 of weights, measures."""
    held_out = _held_out(request, tuned)
    with context.database.reading() as session:
        rows = [row for row in results.stale(session, collection_id, held_out) if row.id != _base(context)]
    paths = [request.pictures[index].path for index in tuned.held_out]
    found = []
    for done, row in enumerate(rows):
        context.progress("renew", done, len(rows), "encoders")
        if service.unavailable(context.storage, row):
            continue
        encoder = service.plugin(context.storage, row)
        views = compare.HeldOut(paths, encoder.input_size, place.workers)
        engine = open_engine(encoder, device=place.device, cache=place.cache)
        found.append((row, encoder.sha256(), _plain(compare.measure_again(paths, views, engine))))
    return found


def _publish(
    context: Context,
    collection_id: UUID,
    request: Request,
    tuned: Tuned,
    renewed: list[tuple[Encoder, str, dict[str, Any]]],
) -> None:
    encoder_id, held_out = new_id(), _held_out(request, tuned)
    with context.database.reading() as session:
        known = set(session.scalars(select(Encoder.key).where(Encoder.collection_id == collection_id)))
    context.drop_unpublished(encoders_folder(collection_id), {str(key) for key in known})
    with full_disk_named():
        report.write(report.of(tuned), tuned.encoder.folder / REPORT)
    context.storage.put([(tuned.encoder.folder, service.key(collection_id, encoder_id))])
    reached("encoder.stored")
    curves = {"influence_of_k": tuned.k_curve} if tuned.k_curve else None
    training = {"ended": tuned.result.ended, "epochs": [_plain(one) for one in tuned.result.history], "curves": curves}
    frozen, metrics = _plain(tuned.frozen), _plain(tuned.tuned)
    with context.succeed({"encoder_id": str(encoder_id), "recommended": tuned.verdict.recommended}) as session:
        made = results.finish(
            session, context.job, encoder_id, tuned.encoder.description, training=training,
            metrics=metrics | {"frozen": frozen}, recommended=tuned.verdict.recommended, verdict=tuned.verdict.sentence,
        )  # fmt: skip
        measured = [(_base(context), request.base.sha256(), frozen), (made.id, str(made.sha256), metrics)]
        for one, sha256, values in [*measured, *((row.id, sha256, values) for row, sha256, values in renewed)]:
            results.measure(session, collection_id, one, sha256, held_out, values)


def _base(context: Context) -> UUID:
    return UUID(context.job.params["base"])


def _held_out(request: Request, tuned: Tuned) -> HeldOut:
    hashes = [request.pictures[index].sha256 for index in tuned.held_out]
    return HeldOut(images=len(hashes), fingerprint=fingerprint(hashes))


def _plain(record: Mapping[str, float | None]) -> dict[str, Any]:
    """As JSON has it: no NaN."""
    return {name: value if value is None or math.isfinite(value) else None for name, value in record.items()}
