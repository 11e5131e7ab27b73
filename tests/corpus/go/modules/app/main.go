package main

import (
	"example.com/outside/pretty"
	"example.org/lib/v2/wire"
	"example.org/lib"
)

type Client struct {
	conn wire.Conn
	lib.Option
}

type Alias = wire.Conn

func (c *Client) Send(text string) error {
	c.Apply()
	return c.conn.Write(pretty.Format(text))
}

func dial() Alias {
	var conn Alias
	return conn
}

func main() {
	client := Client{conn: dial()}
	client.Send("x")
	wire.Dial().Write("y")
	dial().Write("z")
	var late *Client
	late = &client
	late.Send("w")
}
