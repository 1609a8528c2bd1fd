"""Give out the evidence of one account's conversion, as JSON or as a page. The log keeps its SHA-256."""
