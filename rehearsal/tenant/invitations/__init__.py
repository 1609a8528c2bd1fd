"""`POST /invitations`, with every reason to refuse an invitation, and redemption."""
