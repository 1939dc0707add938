"""portero shows who sends mail in an organisation's name and closes Direct Send without losing a message."""
