package list

// List holds values of one type.
type List[T any] struct {
	items []T
}

// Of makes a list.
func Of[T any](items ...T) *List[T] {
	l := &List[T]{}
	for _, item := range items {
		l.Push(item)
	}
	return l
}

// Push adds a value.
func (l *List[T]) Push(item T) { l.items = append(l.items, item) }

// Len counts.
func (l *List[T]) Len() int { return len(l.items) }

// Map makes one list of another.
func Map[T, U any](l *List[T], f func(T) U) *List[U] {
	out := Of[U]()
	for _, item := range l.items {
		out.Push(f(item))
	}
	return out
}

// Valued says what it is worth.
type Valued interface{ Value() int }

// Sum adds up.
func Sum[V Valued](l *List[V]) (sum int) {
	for _, item := range l.items {
		sum += item.Value()
	}
	return sum
}
