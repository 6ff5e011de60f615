"""What everything else stands on; it gathers recordings and letras and gives datasets away."""
