"""Pages: an estate as a whole, and two environments side by side. Nothing here opens or changes anything."""
