"""A folder of pictures sorted without a server: the same models, no database."""
