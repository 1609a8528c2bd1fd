"""The HTTP contract: a table of routes, structs for bodies and answers, errors, who may, and OpenAPI from these."""
