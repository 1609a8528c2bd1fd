"""Serve the tenant: the ASGI application, its port, and connections that end without an answer."""
