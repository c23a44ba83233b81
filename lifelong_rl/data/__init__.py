"""Steps stored by episode, batches drawn from them, datasets read and written."""
