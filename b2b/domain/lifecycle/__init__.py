"""Rules about an account after its invitation: follow it, compare its access, list the ways back."""
