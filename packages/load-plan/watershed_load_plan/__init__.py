"""How Singer messages become warehouse tables: types, evolution, merge, swap, ledger, bookmark, quarantine."""
