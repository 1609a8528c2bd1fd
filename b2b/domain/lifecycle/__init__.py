"""What becomes of an account after its invitation."""
