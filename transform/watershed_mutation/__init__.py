"""The mutation run: takes each branch out of each model, and asks whether a unit test notices."""
