"""What follows the invitation of an account, beside the sweep."""
