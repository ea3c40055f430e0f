"""The rule engine: pure functions from what was seen to what happened. No clock, no I/O, no producer."""
