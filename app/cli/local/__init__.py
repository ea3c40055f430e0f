"""Everything that makes the product run on one machine: engines, ports, secrets, supervisor."""
