"""Find the rung of a recipe's ladder on which a network fails."""
