"""COPY and UNLOAD, without Redshift.

``parse_copy`` and ``read_copy`` turn a COPY statement and the files it names into CSV for
PostgreSQL; ``parse_unload`` and ``write_unload`` turn PostgreSQL's CSV into files.

What is refused, and how options behave, follows AWS's documents where these say it, and errors
that other people met and reported: a Parquet manifest without ``meta`` or with too long a
``content_length`` (awslabs/aws-lambda-redshift-loader 221, 223), columns that do not match in
number (rudderlabs/rudder-server 3178), text too long for its column (aws/aws-sdk-pandas 280), a
role that may not be assumed (fullstorydev/hauser 10), a prefix that does not exist (apache/hop
3469), a result without rows (databricks/spark-redshift 446). What follows is from memory, or made
up because nothing says it, and so to be seen on a cluster:

- The texts of all other errors, the numbers 1214, 1216, 1219 and 1222 where they are used, and
  every SQLSTATE. Errors in Parquet files reach the client only, not ``stl_load_errors``.
- SUPER from Parquet: without SERIALIZETOJSON an error; text a string scalar, whatever it holds;
  text of Parquet's type JSON a document (duckdb/duckdb 14747 says that Redshift needs that type).
- Parquet's TIME, integers of another width, decimals of another scale or a larger precision,
  unsigned numbers, UUID and nanoseconds: refused. TIME is refused from JSON too.
- UNLOAD: ``""`` for an empty text in CSV, NULL without quotes beside ADDQUOTES, how a verbose
  manifest names lengths, two slices, no manifest for no rows.

Stricter than Redshift, or perhaps so, that nothing passes here only:

- DATEFORMAT and TIMEFORMAT 'auto' take ISO 8601 and YYYYMMDD; without a format, TIMESTAMPTZ needs
  an offset and TIMESTAMP must have none; more than six digits of a second are an error.
- DECIMAL takes no exponent, FLOAT and BOOLEAN take plain spellings.
- A delimiter at the end of a line is one column too many.

Otherwise than Redshift:

- Blanks between a delimiter and a quoted field in CSV make the quotes part of the field.
- SUPER keeps all digits of a number; Redshift makes a float of one with more than 38.
- NUL in text, years other than 1 to 9999 in Parquet, JSONPaths files, and options that nobody
  needed here are errors of the stand-in, which say so.
- Files are loaded one after another, in the order of their names or of the manifest.
- REGION, COMPUPDATE and STATUPDATE are read and do nothing. No permission is checked but what
  ``REDSHIFT_STANDIN_REFUSED`` names; S3 is read with the client's rights, not the statement's.
"""

from redshift_standin.transfer.copy_statement import Copy, parse_copy
from redshift_standin.transfer.copying import read_copy
from redshift_standin.transfer.failures import LoadError
from redshift_standin.transfer.unload import write_unload
from redshift_standin.transfer.unload_statement import Unload, parse_unload
from redshift_standin.transfer.values import TargetColumn

__all__ = [
    "Copy",
    "LoadError",
    "TargetColumn",
    "Unload",
    "parse_copy",
    "parse_unload",
    "read_copy",
    "write_unload",
]
