"""Who may enter by the web: Cognito with a second factor, groups that are roles (X-2)."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy, aws_cognito
from constructs import Construct

ROLES = {
    "analyst": "Queries, models, reports and dashboards",
    "dba": "Sources, loads, re-runs",
    "sysadmin": "Users, roles, settings",
    "executive": "Dashboards and reports, nothing else",
}


class Identity(Construct):
    """A pool that people are invited to; without a second factor nobody gets in."""

    def __init__(
        self, scope: Construct, construct_id: str, *, account: str, web_domain: str
    ) -> None:
        super().__init__(scope, construct_id)
        self.pool = aws_cognito.UserPool(
            self,
            "Pool",
            user_pool_name="data-warehouse",
            mfa=aws_cognito.Mfa.REQUIRED,
            mfa_second_factor=aws_cognito.MfaSecondFactor(otp=True, sms=False),
            self_sign_up_enabled=False,
            sign_in_aliases=aws_cognito.SignInAliases(email=True),
            account_recovery=aws_cognito.AccountRecovery.EMAIL_ONLY,
            feature_plan=aws_cognito.FeaturePlan.PLUS,
            standard_threat_protection_mode=aws_cognito.StandardThreatProtectionMode.FULL_FUNCTION,
            password_policy=aws_cognito.PasswordPolicy(
                min_length=14,
                require_digits=True,
                require_lowercase=True,
                require_uppercase=True,
                require_symbols=True,
                temp_password_validity=Duration.days(2),
            ),
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        for role, duties in ROLES.items():
            aws_cognito.CfnUserPoolGroup(
                self,
                role,
                user_pool_id=self.pool.user_pool_id,
                group_name=role,
                description=duties,
            )
        self.domain = self.pool.add_domain(
            "Domain",
            cognito_domain=aws_cognito.CognitoDomainOptions(
                domain_prefix=f"data-warehouse-{account}"
            ),
        )
        self.client = self.pool.add_client(
            "Web",
            user_pool_client_name="web-entry",
            generate_secret=True,
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            auth_flows=aws_cognito.AuthFlow(user_srp=True),
            access_token_validity=Duration.hours(1),
            id_token_validity=Duration.hours(1),
            refresh_token_validity=Duration.hours(8),
            o_auth=aws_cognito.OAuthSettings(
                flows=aws_cognito.OAuthFlows(authorization_code_grant=True),
                scopes=[aws_cognito.OAuthScope.OPENID, aws_cognito.OAuthScope.EMAIL],
                callback_urls=[f"https://{web_domain}/oauth2/idpresponse"],
                logout_urls=[f"https://{web_domain}/"],
            ),
        )
