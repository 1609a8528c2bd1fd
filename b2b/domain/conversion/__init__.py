"""The conversion of one account: its stages, its row, and its next step."""
