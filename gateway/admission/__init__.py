"""Who may come in, and how far: tokens, limits, origins, addresses."""
