"""Serving the tenant: the ASGI application, its port, connections that end without an answer."""
