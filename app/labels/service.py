"""Asking for names to be spread, and showing what came of it."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.clusterings import repository as clusterings
from app.collections import service as collections_service
from app.db.tables import Clustering, Job, Prediction, Propagation
from app.errors import Conflict, Invalid
from app.images import repository as images
from app.jobs import ledger
from app.labels import repository
from app.labels.schemas import Estimated, LabelCount, PredictionOut, PropagationIn, PropagationOut

MOST_LABELS = 1000


def request(session: Session, clustering_id: UUID, body: PropagationIn, request_id: str | None) -> Job:
    """A job that gives every image of the clustering a label, once the names have been seen to make sense."""
    clustering = clusterings.get(session, clustering_id)
    _check_images(session, clustering, set(body.names))
    earlier = _continued(session, clustering, body.continues)
    clusters = (earlier.params["clusters"] if earlier else {}) | _clusters(session, clustering, body.clusters)
    labels = {*body.names.values(), *clusters.values()}
    if earlier:
        labels |= repository.labels_given(session, earlier.id)
    _check_labels(labels)
    params = {
        "clustering": str(clustering_id),
        "names": {str(image_id): label for image_id, label in body.names.items()},
        "clusters": clusters,
        "from": str(earlier.id) if earlier else None,
        "unknown_below": body.unknown_below,
        "seed": body.seed,
    }
    lock = collections_service.lock(clustering.collection_id)
    return ledger.submit(
        session,
        "propagate",
        collection_id=clustering.collection_id,
        params=params,
        request_id=request_id,
        lock=lock,
    )


def _check_images(session: Session, clustering: Clustering, named: set[UUID]) -> None:
    if strange := sorted(named - repository.in_collection(session, clustering.collection_id, named)):
        raise Invalid(f"The image {strange[0]} is not in this clustering's collection.", code="image_not_in_collection")
    if later := sorted(named - repository.in_clustering(session, clustering.id, named)):
        raise Conflict(
            f"The image {later[0]} came after the clustering; POST /v1/clusterings/{clustering.id}/assign first.",
            code="image_not_assigned",
        )


def _continued(session: Session, clustering: Clustering, earlier_id: UUID | None) -> Propagation | None:
    if earlier_id is None:
        return None
    earlier = repository.get(session, earlier_id)
    if earlier.clustering_id != clustering.id:
        raise Invalid("from: that propagation belongs to another clustering.", code="propagation_elsewhere")
    return earlier


def _clusters(session: Session, clustering: Clustering, wanted: dict[str, str] | bool) -> dict[str, str]:
    """The clusters to take names from, by number as text, as JSON wants it."""
    if wanted is False:
        return {}
    if wanted is True:
        found = repository.labelled_clusters(session, clustering.id)
        return {str(number): label for number, label in found.items()}
    numbers = {int(number) for number in wanted}
    if strange := sorted(numbers - repository.cluster_numbers(session, clustering.id, numbers)):
        raise Invalid(f"There is no cluster {strange[0]} in this clustering.", code="cluster_unknown")
    return dict(wanted)


def _check_labels(labels: set[str]) -> None:
    if len(labels) < 2:
        raise Invalid(
            "Give at least two different names, of images or of clusters; with one alone there is nothing to tell "
            "apart.",
            code="too_few_names",
        )
    if len(labels) > MOST_LABELS:
        raise Invalid(f"There are {len(labels)} different names; at most {MOST_LABELS} spread.", code="too_many_names")


def shown(propagation: Propagation) -> PropagationOut:
    params, metrics = propagation.params, propagation.metrics
    return PropagationOut(
        id=propagation.id,
        clustering_id=propagation.clustering_id,
        continues=params["from"],
        clusters=params["clusters"],
        unknown_below=params["unknown_below"],
        seed=params["seed"],
        images=metrics["images"],
        given=metrics["given"],
        unknown=metrics["unknown"],
        labels=[LabelCount(**one) for one in metrics["labels"]],
        estimated=Estimated(**metrics["estimated"]) if metrics["estimated"] else None,
        temperature=metrics["temperature"],
        novelty=metrics["novelty"],
        job_id=propagation.job_id,
        created_at=propagation.created_at,
    )


def shown_predictions(session: Session, rows: list[Prediction]) -> list[PredictionOut]:
    names = images.names(session, [row.image_id for row in rows])
    return [PredictionOut(name=names.get(row.image_id, ""), **_fields(row)) for row in rows]


def _fields(row: Prediction) -> dict[str, Any]:
    return {name: getattr(row, name) for name in PredictionOut.model_fields if name != "name"}
