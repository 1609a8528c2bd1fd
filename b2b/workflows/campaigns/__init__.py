"""The workflows of campaigns: import lists, judge members, decide about them and release them."""
