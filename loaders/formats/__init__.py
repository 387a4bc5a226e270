"""One module per shape in which results come; `loaders.registry` lists them."""
