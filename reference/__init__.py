"""Generate docs/reference, and the lists of settings, rules and permissions in infra, from the tables of the app.

`python -m reference` writes the files. With `--check` it changes nothing and fails if a file is stale. This package is
never deployed.
"""
