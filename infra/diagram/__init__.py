"""The architecture picture: a declared model, a computed layout, a draw.io file and its two exports."""
