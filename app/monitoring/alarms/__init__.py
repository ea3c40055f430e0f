"""The alarm queue: raise, acknowledge, verify, discard, close."""
