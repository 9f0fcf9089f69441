-- Run once by the administrator after the first deployment; docs/aws.md has the command. Again, it changes nothing
-- but for the users, which Redshift makes itself at a role's first login.
-- :account is the AWS account; in the second region, the role ends with its name.
create schema if not exists ops;

create external schema if not exists archive
from data catalog
database 'company_data_catalog'
iam_role 'arn:aws:iam:::account:role/data-warehouse-spectrum-us-east-1';

create group etl;
create group analysts;
create group executives;

grant create on database datawarehouse to group etl;
grant all on schema ops to group etl;
grant usage on schema archive to group analysts;
