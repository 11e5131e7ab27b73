//go:build linux

package clock

// Now reads the clock.
func Now() int { return read() }

func read() int { return 1 }
