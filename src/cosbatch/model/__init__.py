"""The vocabulary: every word of the product has one type here. Standard library only, no input or output."""
