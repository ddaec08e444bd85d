"""Pictures fetched from addresses that people send: a job does it, and only from the hosts that a setting lists."""
