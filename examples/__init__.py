"""Applications to run from the project's root. A package, for an installed SDK may bring one of the same name."""
