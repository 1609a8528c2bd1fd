"""One use case per module; the only place that orders side effects."""
