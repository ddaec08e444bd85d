"""UMAP's graph and layout: for the space that clusters are found in, and for the map."""
