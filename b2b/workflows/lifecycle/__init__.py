"""The workflows that callers start about an invited account. The sweep has workflows of its own."""
