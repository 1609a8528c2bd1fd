"""May this account be converted, and why not: facts, rules and the judgement by them."""
