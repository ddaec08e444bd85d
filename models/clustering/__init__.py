"""Clustering algorithms, one file each, and what is read off their result."""
