"""What sqlfluff's Jinja templater lacks of dbt's ``flags``."""  # noqa: INP001  # sqlfluff reads loose files

INTROSPECT = True
