"""Owners, their quotas and what of them is used."""
