"""Reading the list of objects: every supported format, streamed, with every fault located."""
