"""What is going to collide: claims, declared operations and the reach of a change."""
