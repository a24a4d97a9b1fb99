"""How a forward pass is computed: tokens, batches, the stock and the packed engine, and how to choose and tune them."""
