"""The CRM: a MariaDB database; its tables stand in ``demo/crm/schema.sql``."""
