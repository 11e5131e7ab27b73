package lib

// Option is one.
type Option struct{}

// Apply does it.
func (Option) Apply() {}
