"""What is known of an encoder beyond its row: whether it can be used here, and of which weights."""

from app.db.tables import Encoder
from app.encoders.schemas import EncoderOut
from models import registry

DEFAULT = "efficientnet-lite0"


def shown(encoder: Encoder) -> EncoderOut:
    plugin = registry.load("encoders", encoder.name)
    reason = plugin.unavailable()
    return EncoderOut.model_validate(
        {
            "id": encoder.id,
            "name": encoder.name,
            "origin": encoder.origin,
            "base": encoder.base,
            "method": encoder.method,
            "params": encoder.params,
            "dim": encoder.dim,
            "sha256": None if reason else plugin.sha256(),
            "available": reason is None,
            "reason": reason,
            "metrics": None,
            "recommended": None,
            "verdict": None,
            "collection_id": encoder.collection_id,
            "created_at": encoder.created_at,
        }
    )
