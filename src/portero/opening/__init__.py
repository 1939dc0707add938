"""Mail and its attachments, opened safely: libraries decode, limits bound them, nothing is fetched or run."""
