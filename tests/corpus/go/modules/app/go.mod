module example.org/app

require example.org/lib v1.0.0

replace example.org/lib => ../lib
