"""Pure decisions. Nothing in this package uses the network, the clock or the environment."""
