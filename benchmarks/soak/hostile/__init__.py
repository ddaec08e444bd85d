"""Bad pictures and hostile archives, and a running Roost that has to answer each of them with a code."""
