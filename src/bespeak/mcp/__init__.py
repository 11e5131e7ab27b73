"""The door for agents: the services of bespeak as tools of the Model Context Protocol."""
