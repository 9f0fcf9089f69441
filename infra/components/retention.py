"""How long logs stay."""

from aws_cdk import aws_logs

DAYS = {
    30: aws_logs.RetentionDays.ONE_MONTH,
    90: aws_logs.RetentionDays.THREE_MONTHS,
    365: aws_logs.RetentionDays.ONE_YEAR,
    2190: aws_logs.RetentionDays.SIX_YEARS,
}
"""Of the lengths that CloudWatch Logs knows, those that a configuration here may name."""


def retention(days: int) -> aws_logs.RetentionDays:
    """Return CloudWatch's name of a length of time."""
    return DAYS[days]
