"""What is known about the resources of a book: labels, owner, place, seats, parts, groups; files of them."""
