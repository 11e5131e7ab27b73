package main

import (
	"fmt"

	"example.org/ledger/internal/store"
	short "example.org/ledger/internal/store/text"
	. "example.org/ledger/units"
	_ "example.org/ledger/plugins"
)

var opened = store.New("books")

func init() {
	report("begin")
}

func report(line string) {
	fmt.Println(short.Trim(line))
}

func main() {
	s := store.New("x")
	if err := s.Save(Cents(3)); err != nil {
		report(err.Error())
	}
	opened.Close()
	store.Default.Close()
	store, err := store.Open("y")
	if err == nil {
		store.Close()
	}
}
