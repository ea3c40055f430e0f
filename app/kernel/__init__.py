"""Words every context shares; imports none of them."""
