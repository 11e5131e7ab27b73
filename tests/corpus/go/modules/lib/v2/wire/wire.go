package wire

// Conn is a connection.
type Conn struct{}

// Dial makes one.
func Dial() *Conn { return new(Conn) }

func (c *Conn) Write(text string) error { return c.flush(text) }

func (c *Conn) flush(string) error { return nil }
