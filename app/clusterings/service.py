"""What may be asked of clusterings."""

import json
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.orm import Session

from app.clusterings import repository
from app.clusterings.schemas import (
    AlgorithmOut,
    ClusteringIn,
    ClusteringOut,
    ClusterOut,
    EncoderRef,
    EvaluationOut,
    MemberOut,
    SuggestionsOut,
)
from app.collections import repository as collections_repository
from app.collections import service as collections_service
from app.db.tables import Assignment, Cluster, Clustering, Job
from app.encoders import repository as encoders_repository
from app.errors import Conflict, Invalid, NotFound
from app.images import repository as images_repository
from app.jobs import ledger
from app.settings import Settings
from models import registry
from models.clustering.base import OUTLIER, KNotSupported
from models.clustering.run import AUTO

_MADE = ("encoder", "k_requested", "every_k")  # fields of ClusteringOut that are no columns


def algorithms() -> list[AlgorithmOut]:
    found = ((name, registry.load("clustering", name)) for name in registry.names("clustering"))
    return [
        AlgorithmOut(
            name=name, summary=a.summary, takes_k=a.takes_k, finds_k=a.finds_k, params=a.Params.model_json_schema()
        )
        for name, a in found
    ]


def request(
    session: Session, settings: Settings, collection_id: UUID, body: ClusteringIn, request_id: str | None
) -> Job:
    """One job whose stages are exactly those that are still missing when it runs."""
    collections_repository.get(session, collection_id)
    encoder = encoders_repository.named(session, body.encoder, collection_id)
    params = {
        "encoder": str(encoder.id),
        "algorithm": body.algorithm,
        "k": body.k,
        "seed": body.seed,
        "params": check_params(body.algorithm, body.params),
        "event_gap_s": body.event_gap_s,
    }
    if body.k != "auto" and body.algorithm != AUTO and not registry.load("clustering", body.algorithm).takes_k:
        raise Invalid(str(KNotSupported(body.algorithm)), code=KNotSupported.code)
    return _submit(session, settings, "cluster", collection_id, params, request_id)


def request_assign(session: Session, settings: Settings, clustering_id: UUID, request_id: str | None) -> Job:
    """A job that embeds what came later and lets it join the clusters that are there."""
    clustering = repository.get(session, clustering_id)
    params = {"clustering": str(clustering.id)}
    return _submit(session, settings, "assign", clustering.collection_id, params, request_id)


def _submit(
    session: Session, settings: Settings, kind: str, collection_id: UUID, params: dict[str, Any], request_id: str | None
) -> Job:
    return ledger.submit(
        session,
        kind,
        collection_id=collection_id,
        params=params,
        request_id=request_id,
        lock=collections_service.lock(collection_id),
        queue=settings.embed_queue,
    )


def check_params(algorithm: str, params: dict[str, object]) -> dict[str, object]:
    """The algorithm's parameters, whole, with the defaults filled in; of "auto" those that were given, none."""
    if algorithm == AUTO:
        if params:
            raise Invalid('params: choose an algorithm; "auto" has none of its own.', code="params_invalid")
        return {}
    if algorithm not in registry.names("clustering"):
        raise NotFound(
            f"There is no algorithm {algorithm!r}; GET /v1/algorithms lists them.", code="algorithm_not_found"
        )
    try:
        checked = registry.load("clustering", algorithm).Params.model_validate(params)
    except ValidationError as error:
        first = error.errors()[0]
        raise Invalid(f"params.{'.'.join(map(str, first['loc']))}: {first['msg']}", code="params_invalid") from error
    whole: dict[str, object] = checked.model_dump(mode="json")
    return whole


def evaluate(session: Session, clustering_id: UUID, labels: dict[str, str]) -> EvaluationOut:
    """Agreement of the clusters with the labels given, on the images that have one."""
    from models.evaluation import labelled  # scikit-learn takes a second to import; only this needs it

    repository.get(session, clustering_id)
    clusters, truth = [], []
    for member in repository.assignments(session, clustering_id):
        label = labels.get(str(member.image_id), labels.get(member.name))
        if label is not None:
            clusters.append(OUTLIER if member.number is None else member.number)
            truth.append(label)
    if not truth:
        raise Invalid(
            "None of the labels belongs to an image of this clustering; use names or ids as in its assignments.",
            code="labels_unknown",
        )
    return EvaluationOut(**labelled.score(clusters, truth))


def etag(revision: int) -> str:
    return f'"{revision}"'


def suggestions(session: Session, clustering_id: UUID) -> SuggestionsOut:
    row = repository.get(session, clustering_id)
    if row.suggestions is None:
        raise Conflict(
            f"For this clustering no number was suggested: k was {row.k_requested}, by {row.algorithm}. "
            'Ask for k "auto" of an algorithm that does not find it itself.',
            code="suggestions_missing",
        )
    return SuggestionsOut.model_validate(row.suggestions)


def shown(session: Session, clusterings: list[Clustering]) -> list[ClusteringOut]:
    names = repository.encoder_names(session, clusterings)
    return [_shown(row, names[row.encoder_id]) for row in clusterings]


def _shown(row: Clustering, encoder: str) -> ClusteringOut:
    fields = {name: getattr(row, name) for name in ClusteringOut.model_fields if name not in _MADE}
    return ClusteringOut(
        **fields,
        k_requested=json.loads(row.k_requested),
        every_k=row.tree_key is not None,
        encoder=EncoderRef(id=row.encoder_id, name=encoder, sha256=row.encoder_sha256),
    )


def shown_cluster(row: Cluster) -> ClusterOut:
    return ClusterOut(
        id=row.number,
        label=row.label,
        size=row.size,
        cohesion=row.cohesion,
        representatives=[UUID(one) for one in row.representatives],
    )


def shown_members(session: Session, rows: list[Assignment]) -> list[MemberOut]:
    names = images_repository.names(session, [row.image_id for row in rows])
    return [MemberOut(image_id=row.image_id, name=names.get(row.image_id, ""), distance=row.distance) for row in rows]
