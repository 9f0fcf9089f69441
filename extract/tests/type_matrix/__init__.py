"""What becomes of every type of every source: cases, how they are judged, and the page of them."""
