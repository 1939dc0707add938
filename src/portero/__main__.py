"""The entry point: hands the real use cases to the command line."""

from __future__ import annotations


def main() -> None:
    """Answer the call in `sys.argv` and leave with the contract's exit code."""
    # Imported here: processes that judge messages load this file again and need nothing of it.
    from portero import wiring
    from portero.faces.cli import main as answer

    answer(wiring)


if __name__ == "__main__":
    main()
