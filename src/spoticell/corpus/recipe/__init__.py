"""Recipes: what goes into a corpus, read from YAML."""
