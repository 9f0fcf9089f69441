"""The AWS side: what the company outgrows one machine for, as code beside the pipeline."""
