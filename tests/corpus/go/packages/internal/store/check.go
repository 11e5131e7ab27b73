package store

import "errors"

func (s *Store) check() error {
	if s.used < limit() {
		return nil
	}
	return errors.New("full")
}

// Close ends it.
func (s *Store) Close() { s.used = limit() }

func limit() int { return 100 }
