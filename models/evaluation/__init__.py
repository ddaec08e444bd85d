"""How good a clustering or an embedding is, with and without known labels."""
