"""What the process has imported from which those of jobs are forked: what each would otherwise import for itself.

Nothing whose threads a fork would lose: no torch, no FAISS, no OpenVINO. Those of NumPy's OpenBLAS end before a fork
and begin anew after it.
"""

import sqlalchemy.dialects.postgresql.psycopg
import sqlalchemy.dialects.sqlite.pysqlite  # noqa: F401
from sqlalchemy.orm import configure_mappers

import workers.child
import workers.jobs.embed
import workers.jobs.fetch
import workers.jobs.unpack  # noqa: F401

configure_mappers()
