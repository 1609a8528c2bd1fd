"""`POST /invitations` with every reason to refuse one, and redemption."""
