"""Graph's routes other than invitations: users, groups, domains, policies, licences, delta."""
