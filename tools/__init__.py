"""What only the maintainers use: ``python -m tools``, from the checkout. It is not installed."""
