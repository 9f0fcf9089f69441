"""dbt's own tests of an adapter, with dbt-redshift on the stand-in: evidence, minutes long.

Not collected with the others. Run it by name, without the house's rule on warnings, which dbt's
tests break: ``.venv/bin/pytest -W ignore -c /dev/null --rootdir . -p redshift_standin.pytest_plugin
-p watershed_servers.pytest_plugin tests/redshift_standin/adapter_suite.py``
"""
