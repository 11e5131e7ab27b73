package clock

import "testing"

func newClock() *Clock { return &Clock{} }

func helper() int { return twice(1) }

func TestTick(t *testing.T) {
	c := newClock()
	c.Tick()
	if helper() != 2 {
		t.Fatal("twice")
	}
}
