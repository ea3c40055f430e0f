"""Keycloak: the realm it must have, its administration, signing in and the verification of its tokens."""
