"""Relations: the city's topology, what contains and what feeds what."""
