"""What we claim about speed, measured beside its peers: one command for each claim."""
