"""Whether an account may be converted, and why not: the facts, the rules, and the judgement by them."""
