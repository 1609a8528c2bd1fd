"""What happens to an account after its invitation."""
