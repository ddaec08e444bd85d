"""Self-supervised training of an encoder on a gallery: one loop (fit.py), one file a method (methods/)."""
