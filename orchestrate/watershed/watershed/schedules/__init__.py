"""When each job is due, in its time zone, and the lines that start it."""
