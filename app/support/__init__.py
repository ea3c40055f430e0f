"""Technical tickets and their service levels."""
