"""The content of the tenant: objects, schema, addresses, policies, mails, redeem links, and the seed it starts from."""
