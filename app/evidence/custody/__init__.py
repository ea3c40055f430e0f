"""What must not be deleted, and why: holds over stretches of footage."""
