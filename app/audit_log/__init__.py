"""The audit log: who changed what, and when. Not the audits of clusters, which are app/audits."""
