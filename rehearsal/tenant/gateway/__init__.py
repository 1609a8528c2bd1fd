"""How the tenant serves a Graph call: the gateway, the table of routes, and `$batch`."""
