module example.org/builds
