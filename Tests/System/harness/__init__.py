"""What the system tests share: servers as processes, a JSON gateway client, peers from PyPI, a report."""
