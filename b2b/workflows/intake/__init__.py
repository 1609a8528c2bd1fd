"""Takes a request in, from a queue message or an HTTP body, and writes its row in the ledger."""
