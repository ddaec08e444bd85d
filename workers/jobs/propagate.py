"""Names spread from few images to all of a clustering; see models/labels."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import insert, select, update

from app.clusterings import repository as clusterings
from app.db.session import now
from app.db.tables import Image, Prediction, Propagation
from app.embeddings import repository as embeddings
from app.failpoints import reached
from app.ids import new_id
from app.labels import repository
from models.labels.given import Given
from models.labels.spreading import CLUSTER_TRUST, SAMPLE, Labelled, Spreading
from workers.context import Context, JobFailed

BATCH = 5000


@dataclass(frozen=True)
class Plan:
    """Where the clustering's images are, the vectors' set, and the names: of images, of clusters, and all there are."""

    clustering_id: UUID
    set_id: UUID
    places: dict[UUID, int | None]
    names: dict[UUID, str]
    clusters: dict[int, str]
    labels: list[str]


def run(context: Context) -> None:
    plan = _plan(context)
    ids, vectors = _sample(context, plan)
    context.progress("spread", 0, None, "steps")
    given = _given(plan, ids)
    spreading = Spreading(
        vectors,
        given,
        len(plan.places),
        context.job.params["seed"],
        lambda done, total: context.progress("spread", done, total, "steps"),
    )
    propagation_id = _begin(context, plan)
    tally: Counter[tuple[str | None, bool]] = Counter()
    for block, labelled in _labelled(context, plan, ids, spreading):
        done = tally.total() + len(block)
        with context.step("label", done, len(plan.places), "images", lambda: False) as session:  # `_begin` forgets it
            rows = _rows(context, plan, block, labelled)
            alive = set(session.scalars(select(Image.id).where(Image.id.in_(block))))
            if kept := [row | {"propagation_id": propagation_id} for row in rows if row["image_id"] in alive]:
                session.execute(insert(Prediction), kept)
        tally.update((row["label"], row["given"]) for row in rows)
        reached("propagate.labelled")
    with context.succeed({"propagation_id": str(propagation_id)}) as session:
        values = {"complete": True, "metrics": _metrics(spreading, tally)}
        session.execute(update(Propagation).where(Propagation.id == propagation_id).values(**values))


def _plan(context: Context) -> Plan:
    params = context.job.params
    with context.database.reading() as session:
        clustering = clusterings.get(session, UUID(params["clustering"]))
        places = repository.places(session, clustering.id)
        set_id = repository.embedding_set(session, clustering).id
        names = repository.names(session, UUID(params["from"])) if params["from"] else {}
    names |= {UUID(image_id): label for image_id, label in params["names"].items()}
    names = {image_id: label for image_id, label in names.items() if image_id in places}
    clusters = {int(number): label for number, label in params["clusters"].items()}
    labels = sorted({*names.values(), *(clusters[n] for n in set(places.values()) if n in clusters)})
    if len(labels) < 2:
        raise JobFailed("too_few_names", "Fewer than two different names are left on images that still exist.")
    return Plan(clustering.id, set_id, places, names, clusters, labels)


def _sample(context: Context, plan: Plan) -> tuple[list[UUID], np.ndarray]:
    """The images that take part in the learning, in order of id, and their vectors (N, D)."""
    everyone = sorted(plan.places)
    chosen = set(plan.names)
    others = np.random.default_rng(context.job.params["seed"]).permutation(len(everyone))
    chosen |= {everyone[i] for i in others[: max(SAMPLE - len(chosen), SAMPLE // 2)]}
    ids: list[UUID] = []
    parts = []
    with context.database.reading() as session:
        for block, vectors in embeddings.blocks(session, context.storage, plan.set_id):
            inside = [row for row, image_id in enumerate(block) if image_id in chosen]
            ids += [block[row] for row in inside]
            parts.append(vectors[inside])
    order = sorted(range(len(ids)), key=ids.__getitem__)
    return [ids[i] for i in order], np.concatenate(parts)[order]


def _given(plan: Plan, ids: list[UUID]) -> Given:
    codes = {label: code for code, label in enumerate(plan.labels)}
    found = []
    for row, image_id in enumerate(ids):
        if name := plan.names.get(image_id):
            found.append((row, codes[name], 1.0))
        elif name := _of_cluster(plan, image_id):
            found.append((row, codes[name], CLUSTER_TRUST))
    rows, labels, trust = zip(*found, strict=True)
    return Given(np.array(rows), np.array(labels), np.array(trust), len(codes))


def _of_cluster(plan: Plan, image_id: UUID) -> str | None:
    number = plan.places[image_id]
    return None if number is None else plan.clusters.get(number)


def _begin(context: Context, plan: Plan) -> UUID:
    """The row that predictions belong to; nobody sees it before it is complete. An earlier attempt's goes."""
    propagation_id = new_id()
    params = {key: context.job.params[key] for key in ("from", "clusters", "unknown_below", "seed")}
    with context.step("label", 0, len(plan.places), "images", lambda: False) as session:
        repository.forget_incomplete(session, plan.clustering_id)
        session.add(
            Propagation(
                id=propagation_id,
                clustering_id=plan.clustering_id,
                params=params,
                metrics={},
                complete=False,
                job_id=context.job.id,
                created_at=now(session),
            )
        )
    return propagation_id


def _labelled(
    context: Context, plan: Plan, ids: list[UUID], spreading: Spreading
) -> Iterator[tuple[list[UUID], Labelled]]:
    """Every image's label, some at a time: first those that took part, then the others."""
    for start in range(0, len(ids), BATCH):
        part = slice(start, start + BATCH)
        yield ids[part], spreading.sample[part]
    rest = plan.places.keys() - set(ids)
    with context.database.reading() as session:
        for block, vectors in embeddings.blocks(session, context.storage, plan.set_id):
            inside = [row for row, image_id in enumerate(block) if image_id in rest]
            for start in range(0, len(inside), BATCH):
                part_rows = inside[start : start + BATCH]
                yield [block[row] for row in part_rows], spreading.label(vectors[part_rows])


def _rows(context: Context, plan: Plan, block: list[UUID], labelled: Labelled) -> list[dict[str, Any]]:
    below = context.job.params["unknown_below"]
    rows = []
    columns = (labelled.codes, labelled.confidence, labelled.new, labelled.worth)
    for image_id, code, confidence, new, worth in zip(block, *(one.tolist() for one in columns), strict=True):
        given, guess = image_id in plan.names, plan.labels[code]
        unknown = not given and (new or confidence < below)
        rows.append(
            {
                "image_id": image_id,
                "label": None if unknown else guess,
                "guess": guess,
                "confidence": confidence,
                "given": given,
                "worth": worth,
            }
        )
    return rows


def _metrics(spreading: Spreading, tally: Counter[tuple[str | None, bool]]) -> dict[str, Any]:
    calibration = spreading.calibration
    labels = {label for label, _ in tally if label is not None}
    counted = [
        {"label": one, "given": tally[one, True], "images": tally[one, True] + tally[one, False]} for one in labels
    ]
    return {
        "images": tally.total(),
        "given": sum(count for (_, given), count in tally.items() if given),
        "unknown": tally[None, False],
        "labels": sorted(counted, key=lambda one: (-int(str(one["images"])), str(one["label"]))),
        "estimated": asdict(calibration.estimate) if calibration.estimate else None,
        "temperature": calibration.temperature,
        "novelty": calibration.novelty,
    }
