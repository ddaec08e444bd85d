"""Every table. Ids are UUIDv7, times are UTC, and what is immutable says so."""

from app.db.caller import LOCAL
from app.db.tables.access import ApiKey, AuditRecord, LogIn, Owner
from app.db.tables.base import Table
from app.db.tables.clusterings import Assignment, Cluster, Clustering
from app.db.tables.collections import Collection, Image
from app.db.tables.corrections import Centre, Edit, EditMove, Group, GroupImage
from app.db.tables.duplicates import DuplicatePair, DuplicateScan
from app.db.tables.embeddings import Embedding, EmbeddingPart, EmbeddingSet, EmbeddingShard, SearchIndex
from app.db.tables.encoders import Encoder, EncoderMeasure
from app.db.tables.jobs import IdempotencyKey, Job, JobStage, TrainingEpoch, Worker
from app.db.tables.labels import Audit, Prediction, Propagation
from app.db.tables.uploads import Upload, UploadPiece

__all__ = [
    "LOCAL", "ApiKey", "Assignment", "Audit", "AuditRecord", "Centre", "Cluster", "Clustering", "Collection",
    "DuplicatePair", "DuplicateScan", "Edit", "EditMove", "Embedding", "EmbeddingPart", "EmbeddingSet",
    "EmbeddingShard", "Encoder", "EncoderMeasure", "Group", "GroupImage", "IdempotencyKey", "Image", "Job", "JobStage",
    "LogIn", "Owner", "Prediction", "Propagation", "SearchIndex", "Table", "TrainingEpoch", "Upload", "UploadPiece",
    "Worker",
]  # fmt: skip
