"""The triggers of the app, the only code that imports azure.functions. They only translate calls to b2b/workflows."""
