"""Style sheets and scripts of the pages, served as they are."""
