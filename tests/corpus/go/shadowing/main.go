package main

import "strings"

type Item struct{ n int }

func (i Item) Size() int { return i.n }

type Other struct{}

func (Other) Size() int { return 0 }

func size(n int) int { return n }
func len(s string) int { return strings.Count(s, "") }
func limit() int { return 3 }
func fields() int { return 4 }

func byParameter(size func(int) int) int { return size(1) }

func byBlock(n int) int {
	if size := n; size > 0 {
		n = size
	}
	{
		limit := func() int { return n }
		n += limit()
	}
	item := Item{n}
	if n > 2 {
		item := Other{}
		n += item.Size()
	}
	return size(n) + limit() + item.Size()
}

func byPackage() int {
	strings := struct{ fields func() int }{fields}
	return strings.fields()
}

func byAssignment(n int) int {
	item := Item{n}
	item, more := Item{n + 1}, limit()
	return item.Size() + more
}

func main() {
	println(byParameter(size), byBlock(1), byPackage(), byAssignment(2), len("abc"))
}
