"""The design system: layouts, components, formats and browser modules."""
