"""Analytics of the municipal node: producers see, the rule engine judges, plates become passes."""
