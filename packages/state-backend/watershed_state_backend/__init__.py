"""Meltano state that lives in the warehouse, in the transaction of the rows it speaks of."""
