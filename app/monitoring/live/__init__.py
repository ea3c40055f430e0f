"""The operator's console, composed from everyone's panels."""
