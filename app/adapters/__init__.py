"""The only place where vendor SDKs are spoken to."""
