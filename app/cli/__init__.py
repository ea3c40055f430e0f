"""The `pipc` command line."""
