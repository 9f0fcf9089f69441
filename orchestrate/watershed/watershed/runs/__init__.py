"""`watershed run`: a job under a lease, followed while it runs and told of truthfully."""
