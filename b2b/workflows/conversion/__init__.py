"""Convert one account: decide, claim, invite, and keep its requests up to date."""
