"""How good a thing is: metrics that compute scores of what was made."""
