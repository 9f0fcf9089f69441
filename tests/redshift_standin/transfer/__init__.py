"""COPY and UNLOAD, without Redshift.

``parse_copy`` and ``read_copy`` turn a COPY statement and the files it names into CSV for
PostgreSQL; ``parse_unload`` and ``write_unload`` turn PostgreSQL's CSV into files.

What is refused, and how options behave, follows AWS's documents where these say it. From memory,
from other people's reports, or made up because nothing says it, and so to be seen on a cluster:

- Texts: of errors about manifests, a damaged or wrongly compressed file, options that exclude each
  other, invalid JSON, floats, booleans and VARBYTE; the numbers 1214, 1216, 1219 and 1222 where
  they are used; all SQLSTATEs. From reports of others: ``Spectrum Scan Error`` with its unmatched
  columns, incompatible schema and length; `` File entry does not have 'meta' key``; the prefix that
  does not exist; the role that may not be assumed.
- Whether errors in Parquet files get a line in ``stl_load_errors``: here they do not.
- SUPER from Parquet: without SERIALIZETOJSON an error, text a string scalar, text of the logical
  type JSON a document (DuckDB writes that type for this reason).
- Parquet: TIME is refused, because another loader's documents say so; integers of another width,
  decimals of another scale or a larger precision, unsigned ones, UUID and nanoseconds are too.
- UNLOAD: no file for no row; ``""`` for an empty text in CSV; NULL without quotes beside
  ADDQUOTES; the names of the lengths in a verbose manifest.

Stricter than Redshift, or not sure to be, so that what passes here passes there:

- DATEFORMAT and TIMEFORMAT 'auto' take ISO 8601 and YYYYMMDD only; without a format TIMESTAMPTZ
  needs an offset, and TIMESTAMP must have none; more than six digits of a second are an error.
- FLOAT, DECIMAL and BOOLEAN take plain spellings; a DECIMAL none with an exponent.
- A delimiter at the end of a line is one column too many.

More forgiving than Redshift, or otherwise than it:

- Blanks between a delimiter and a quoted field in CSV make the quotes part of the field.
- SUPER keeps numbers of any length, where Redshift makes those of more than 38 digits floats.
- NUL in text, years other than 1 to 9999 in Parquet, and JSONPaths files, are an error of
  the stand-in.
- Files are loaded one after another, in the order of their names or of the manifest.
- REGION, COMPUPDATE and STATUPDATE are read and do nothing; permissions are not checked.
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
