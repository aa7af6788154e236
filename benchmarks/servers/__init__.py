"""What the benchmark of servers is made of: models, contestants, and the race between them."""
