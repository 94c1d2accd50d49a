"""Names of services: those of the provider's `endpoints` block, and botocore's for the same; partitions."""

from __future__ import annotations

_SAME = ["accessanalyzer", "account", "acm", "amp", "amplify", "apigateway", "apigatewayv2", "appconfig", "appfabric", "appflow", "application-insights", "appmesh", "appstream", "appsync", "athena", "auditmanager", "autoscaling", "backup", "batch", "bedrock", "budgets", "ce", "chatbot", "cloud9", "cloudformation", "cloudfront", "cloudhsmv2", "cloudsearch", "cloudtrail", "cloudwatch", "codeartifact", "codebuild", "codecommit", "codepipeline", "comprehend", "connect", "controltower", "cur", "databrew", "dataexchange", "datapipeline", "datasync", "datazone", "dax", "deploy", "detective", "devicefarm", "directconnect", "dlm", "dms", "docdb", "ds", "dynamodb", "ec2", "ecr", "ecs", "efs", "eks", "elasticache", "elb", "emr", "es", "events", "finspace", "firehose", "fis", "fms", "fsx", "gamelift", "glacier", "globalaccelerator", "glue", "grafana", "greengrass", "groundstation", "guardduty", "healthlake", "iam", "identitystore", "imagebuilder", "inspector", "inspector2", "iot", "iotanalytics", "iotevents", "ivs", "ivschat", "kafka", "kafkaconnect", "kendra", "keyspaces", "kinesis", "kinesisanalytics", "kinesisanalyticsv2", "kinesisvideo", "kms", "lakeformation", "lambda", "lightsail", "location", "logs", "m2", "macie2", "mediaconnect", "mediaconvert", "medialive", "mediapackage", "mediastore", "memorydb", "mgn", "mq", "mwaa", "neptune", "networkmanager", "oam", "organizations", "osis", "outposts", "pcs", "pipes", "polly", "pricing", "qldb", "quicksight", "ram", "rbin", "rds", "redshift", "rekognition", "rolesanywhere", "route53", "route53domains", "route53resolver", "rum", "s3", "s3control", "s3outposts", "sagemaker", "scheduler", "schemas", "secretsmanager", "securityhub", "securitylake", "ses", "sesv2", "shield", "signer", "sns", "sqs", "ssm", "sso", "storagegateway", "sts", "swf", "synthetics", "transcribe", "transfer", "waf", "wafv2", "wellarchitected", "workspaces", "xray"]

_OTHER: dict[str, str] = {
    "acmpca": "acm-pca", "amg": "grafana", "prometheus": "amp", "prometheusservice": "amp",
    "applicationautoscaling": "application-autoscaling", "appautoscaling": "application-autoscaling",
    "applicationinsights": "application-insights", "autoscalingplans": "autoscaling-plans",
    "cloudwatchevents": "events", "eventbridge": "events", "cloudwatchlogs": "logs", "cloudwatchlog": "logs",
    "codedeploy": "deploy", "codestarconnections": "codestar-connections", "codestarnotifications": "codestar-notifications",
    "cognitoidentity": "cognito-identity", "cognitoidp": "cognito-idp", "configservice": "config", "config": "config",
    "costexplorer": "ce", "costandusagereportservice": "cur", "databasemigration": "dms",
    "ecrpublic": "ecr-public", "elasticbeanstalk": "elasticbeanstalk", "beanstalk": "elasticbeanstalk",
    "elasticloadbalancing": "elb", "elbv2": "elbv2", "elasticloadbalancingv2": "elbv2",
    "elasticsearch": "es", "elasticsearchservice": "es", "opensearch": "opensearch", "opensearchservice": "opensearch",
    "opensearchserverless": "opensearchserverless", "elastictranscoder": "elastictranscoder",
    "emrcontainers": "emr-containers", "emrserverless": "emr-serverless", "internetmonitor": "internetmonitor",
    "lexmodels": "lex-models", "lexmodelsv2": "lexv2-models", "lexv2models": "lexv2-models",
    "licensemanager": "license-manager", "managedgrafana": "grafana", "mediastoredata": "mediastore-data",
    "mediapackagev2": "mediapackagev2", "networkfirewall": "network-firewall",
    "pinpoint": "pinpoint", "redshiftdata": "redshift-data", "redshiftserverless": "redshift-serverless",
    "resourceexplorer2": "resource-explorer-2", "resourcegroups": "resource-groups",
    "resourcegroupstaggingapi": "resourcegroupstaggingapi", "s3api": "s3", "s3tables": "s3tables",
    "sdb": "sdb", "serverlessrepo": "serverlessrepo", "servicecatalog": "servicecatalog",
    "servicediscovery": "servicediscovery", "servicequotas": "service-quotas", "sfn": "stepfunctions",
    "stepfunctions": "stepfunctions", "ssmcontacts": "ssm-contacts", "ssmincidents": "ssm-incidents",
    "ssoadmin": "sso-admin", "timestreamwrite": "timestream-write", "vpclattice": "vpc-lattice",
    "wafregional": "waf-regional", "worklink": "worklink",
}  # fmt: skip

_RENAMED = {"deploy": "codedeploy", "ecr-public": "ecr-public"}

ENDPOINT_NAMES: tuple[str, ...] = tuple(sorted({name for name in _SAME if "-" not in name} | _OTHER.keys()))
"""The names that an `endpoints` block may use."""


def botocore_service(name: str) -> str:
    """botocore's name of the service that an `endpoints` block calls `name`."""
    found = _OTHER.get(name, name)
    return _RENAMED.get(found, found)


def partition_of(region: str) -> str:
    """The partition that a region belongs to."""
    for prefix, partition in (
        ("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("us-isob-", "aws-iso-b"), ("us-iso-", "aws-iso"),
        ("eu-isoe-", "aws-iso-e"), ("us-isof-", "aws-iso-f"), ("eu-isof-", "aws-iso-f"), ("eusc-", "aws-eusc"),
    ):  # fmt: skip
        if region.startswith(prefix):
            return partition
    return "aws"


_SUFFIXES = {
    "aws": "amazonaws.com", "aws-cn": "amazonaws.com.cn", "aws-us-gov": "amazonaws.com", "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov", "aws-iso-e": "cloud.adc-e.uk", "aws-iso-f": "csp.hci.ic.gov", "aws-eusc": "amazonaws.eu",
}  # fmt: skip


def dns_suffix(partition: str) -> str:
    """The domain under which a partition's services answer."""
    return _SUFFIXES[partition]
