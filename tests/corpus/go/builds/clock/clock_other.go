//go:build !linux

package clock

// Now reads the clock.
func Now() int { return 0 }
