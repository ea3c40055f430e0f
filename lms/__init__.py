"""Training and certification of operators."""
