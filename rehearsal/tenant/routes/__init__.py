"""All routes but invitations: users, groups, domains, policies, licences, delta."""
