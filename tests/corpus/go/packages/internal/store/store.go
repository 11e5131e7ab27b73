// Package store keeps things.
package store

import "example.org/ledger/internal/store/text"

// Store is one store.
type Store struct {
	name string
	used int
}

// Default is there from the start.
var Default = New("default")

// New makes one.
func New(name string) *Store {
	return &Store{name: text.Trim(name)}
}

// Open makes one, or says why not.
func Open(name string) (*Store, error) {
	s := New(name)
	return s, s.check()
}

// Save keeps a value.
func (s *Store) Save(value int) error {
	s.used += value
	return s.check()
}
