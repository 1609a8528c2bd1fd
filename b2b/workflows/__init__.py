"""The use cases, one in each module. Only these modules decide the order of side effects."""
