"""Take requests in, from queue messages and HTTP bodies, and write their rows in the ledger."""
