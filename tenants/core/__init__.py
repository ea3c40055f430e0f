"""Municipality, binding of tenant to connection, row-level security helpers."""
