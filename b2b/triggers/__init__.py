"""The triggers of the app, the only code that imports azure.functions. They hold no logic of their own."""
