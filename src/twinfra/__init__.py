"""Infrastructure as Code for machine-learning teams, in the language of Terraform."""

__version__ = "0.1.0.dev0"
