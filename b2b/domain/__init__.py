"""Pure decisions: no network, no clock, no environment."""
