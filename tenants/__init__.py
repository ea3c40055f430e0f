"""The municipalities: tenancy, their facts and their administration."""
