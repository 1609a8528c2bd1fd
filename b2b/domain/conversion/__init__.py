"""One account's conversion: its stages, its row, and what is to be done next."""
