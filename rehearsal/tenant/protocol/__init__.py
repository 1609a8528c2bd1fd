"""The parts of a Graph call: messages, tokens, permissions, errors, and the journal of calls."""
