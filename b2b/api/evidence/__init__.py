"""The evidence of one account's conversion: JSON, a page made from it, and a line in the log for each."""
