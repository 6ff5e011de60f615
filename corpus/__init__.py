"""What everything else stands on, and what gathers recordings and letras and gives datasets away."""
