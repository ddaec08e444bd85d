"""Nearest rows by cosine: exactly, or in near cells alone where all with all would take too long."""
