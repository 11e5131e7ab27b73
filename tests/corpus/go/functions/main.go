package main

import "sort"

type Handler func(int) int

func (h Handler) Serve(n int) int { return h(n) }

type Server struct {
	handle Handler
	table  map[string]func(int) int
}

func double(n int) int { return 2 * n }
func triple(n int) int { return 3 * n }

var chosen = double

func apply(f func(int) int, n int) int { return f(n) }

func adder(by int) func(int) int {
	return func(n int) int {
		return double(n) + by
	}
}

func makeServer() (*Server, func()) {
	s := &Server{handle: double, table: map[string]func(int) int{"three": triple}}
	return s, func() { s.stop() }
}

func (s *Server) stop() {}

func main() {
	server, stop := makeServer()
	defer stop()

	local := func(n int) int { return triple(n) }
	run := server.stop
	run()
	sort.Slice(nil, func(i, j int) bool { return double(i) < double(j) })
	println(apply(triple, 1), adder(2)(3), local(4), chosen(5))
	println(server.handle(6), server.table["three"](7), Handler(triple).Serve(8))
	(*Server).stop(server)
}
