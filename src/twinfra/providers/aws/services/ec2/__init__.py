"""EC2: networks, addresses, firewalls, instances and launch templates."""
