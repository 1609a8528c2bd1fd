"""What the tenant holds: objects, schema, addresses, policies, mails and redeem links, and the seed of it all."""
