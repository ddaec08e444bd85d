"""Who makes the request that is being answered. It stands below the tables, whose rows it confines and owns."""

from app.db.caller import ANYBODY, CALLER, NOBODY, Caller, Scope, owner_id

__all__ = ["ANYBODY", "CALLER", "NOBODY", "Caller", "Scope", "owner_id"]
