"""The triggers of the app, the only importers of azure.functions. Translation only: the work is in b2b/workflows."""
