"""Identity and Access Management: roles, policies and what binds them."""
