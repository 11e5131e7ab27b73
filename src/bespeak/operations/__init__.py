"""Running a book: is it healthy, a copy of it, moving it elsewhere."""
