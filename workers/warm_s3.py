"""What jobs whose blobs are in S3 would also import for themselves; see warm.py."""

import app.storage.s3  # noqa: F401
from app.storage.bucket import read_descriptions

read_descriptions()
