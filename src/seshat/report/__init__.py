"""What people read: pages and tables of typed results."""
