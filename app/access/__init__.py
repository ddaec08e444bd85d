"""Who calls, what they may do, and what of it is written down."""
