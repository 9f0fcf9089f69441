"""Who hears of what, once, with the command that mends it."""
