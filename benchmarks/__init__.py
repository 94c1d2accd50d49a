"""Speed and memory of Twinfra beside stock Terraform, in the same run: `python -m benchmarks`."""
