"""Values that their columns could not hold: seen, replayed after a fix, discarded."""
