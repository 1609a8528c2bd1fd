"""The triggers of the app, the only code that imports azure.functions. They translate; b2b/workflows does the work."""
