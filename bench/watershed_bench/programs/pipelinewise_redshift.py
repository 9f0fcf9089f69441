"""PipelineWise's target for Redshift, which asks for a name that Python 3.10 moved."""

import collections
import collections.abc

collections.MutableMapping = collections.abc.MutableMapping  # type: ignore[attr-defined]

from target_redshift import main  # type: ignore[import-not-found]  # noqa: E402  # only now it can

main()
