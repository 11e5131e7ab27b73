package clock_test

import (
	"testing"

	"example.org/builds/clock"
)

func helper() *clock.Clock { return &clock.Clock{} }

func TestOutside(t *testing.T) {
	helper().Tick()
	clock.Now()
}
