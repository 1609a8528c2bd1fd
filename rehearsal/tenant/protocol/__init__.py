"""What a Graph call is made of: messages, tokens, permissions, errors, and the journal of calls."""
