"""Results that were recorded, and the program that records them again."""
