"""The seven stacks; they compose components and hold no resource of their own."""
