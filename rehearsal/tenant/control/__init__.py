"""The control plane under `/_sim`, and its client."""
