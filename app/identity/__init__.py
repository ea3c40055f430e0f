"""People, postings, roles and sign-in through Keycloak."""
