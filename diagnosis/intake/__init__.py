"""From untrusted bytes or a URL to a stored film."""
