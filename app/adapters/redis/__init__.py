"""Redis or Valkey as the bearer of nudges; never of truth."""
