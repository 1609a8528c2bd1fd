"""A campaign as large as a list may be, with the tenant's limits on, and what it takes."""
