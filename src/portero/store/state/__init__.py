"""The state of an installation in SQL: SQLite by default, PostgreSQL by URL."""
