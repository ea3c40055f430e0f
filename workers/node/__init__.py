"""The municipal node: runs recorders and analytics, keeps what they say, and speaks to the province over HTTP(S) only."""
