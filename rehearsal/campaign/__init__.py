"""Run a campaign with as many members as a list may have, under the tenant's limits, and measure time and calls."""
