"""What a campaign does: take a list in, judge its members, decide about them, release them."""
