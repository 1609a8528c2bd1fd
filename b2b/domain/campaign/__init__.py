"""A named list of people to convert: how a list is read, what becomes of its members, and what is told of them."""
