"""The routes, bodies and answers about an account that was invited and has not redeemed yet."""
