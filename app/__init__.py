"""The provincial web service: one folder per bounded context."""
