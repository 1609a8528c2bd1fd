"""Convert internal Entra ID accounts into B2B collaboration users by invitation."""
