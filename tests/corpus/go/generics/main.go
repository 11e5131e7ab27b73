package main

import "example.org/generics/list"

type Coin struct{ cents int }

func (c Coin) Value() int { return c.cents }

type Pair[A, B any] struct {
	left  A
	right B
}

func (p Pair[A, B]) Left() A { return p.left }

func main() {
	coins := list.Of(Coin{1}, Coin{2})
	coins.Push(Coin{3})
	names := list.Map[Coin, string](coins, func(c Coin) string {
		return label(c.Value())
	})
	pair := Pair[int, string]{1, "a"}
	println(names.Len(), list.Sum(coins), pair.Left())
}

func label(n int) string { return string(rune(n)) }
