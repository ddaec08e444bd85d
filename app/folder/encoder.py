"""Which encoder a person means: by its name, or by the folder of a fine-tuned one."""

from pathlib import Path

from models import registry
from models.encoders.base import Encoder, EncoderUnavailable
from models.encoders.finetuned import FinetunedEncoder


def chosen(text: str) -> Encoder:
    """A name of the registry goes before a folder. Raises EncoderUnavailable, EncoderDamaged."""
    if text in (known := registry.names("encoders")):
        found: Encoder = registry.load("encoders", text)
        return found
    if Path(text).is_dir():
        return FinetunedEncoder.open(Path(text))
    raise EncoderUnavailable(f"{text!r} is neither a fine-tuned encoder's folder nor known; known: {', '.join(known)}")
