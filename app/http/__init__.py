"""What every HTTP answer has in common: access, errors, headers, sessions' entry point."""
