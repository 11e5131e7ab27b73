package main

import "fmt"

type Named interface {
	Name() string
}

type Shape interface {
	Named
	Area() float64
}

type Square struct{ side float64 }

func (s Square) Name() string  { return "square" }
func (s Square) Area() float64 { return s.side * s.side }

type Circle struct{ radius float64 }

func (c *Circle) Name() string  { return "circle" }
func (c *Circle) Area() float64 { return 3.14 * square(c.radius) }

type Label struct{ text string }

func (l Label) Name() string { return l.text }

func square(x float64) float64 { return x * x }

func total(shapes ...Shape) (sum float64) {
	for _, shape := range shapes {
		sum += shape.Area()
	}
	return sum
}

func show(n Named) {
	fmt.Println(n.Name())
	switch kind := n.(type) {
	case Square:
		fmt.Println(kind.Area())
	case *Circle, Label:
		fmt.Println(kind.Name())
	}
	if s, ok := n.(Shape); ok {
		fmt.Println(s.Area())
	}
}

func main() {
	s := Square{side: 2}
	c := &Circle{radius: 1}
	show(s)
	show(Label{"x"})
	fmt.Println(total(s, c), s.Area())
}
