"""Small synthetic cante with exact ground truth: what `corpus demo` and the tests sing."""
