"""The HTTP API: a table of routes, structs of bodies and answers, errors, roles, and OpenAPI made from these."""
