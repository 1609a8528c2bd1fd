"""Writes docs/reference, and the lists of settings, rules and permissions in infra, from the tables of the app.

`python -m reference` writes; with `--check` it changes nothing and fails if a file is stale. Never deployed.
"""
