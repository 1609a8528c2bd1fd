"""The way of a Graph call through the tenant: the gateway, the table of routes, `$batch`."""
