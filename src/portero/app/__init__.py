"""The use cases, as functions over values: from evidence that was read to an audit."""
