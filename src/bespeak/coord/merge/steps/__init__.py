"""A merge, done: what its plan recommends, step by step, each verified by planning the result again."""
