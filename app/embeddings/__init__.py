"""Embedding sets: shards of vectors, and whose row is whose."""
