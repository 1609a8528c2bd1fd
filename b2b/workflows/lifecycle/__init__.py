"""Workflows about an account after its invitation that callers start; the sweep has its own."""
