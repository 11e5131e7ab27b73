package main

type Base struct {
	*Logger
	id int
}

func (b *Base) ID() int { return b.id }
func (b *Base) Len() int { return b.Logger.Len() + 1 }

type Service struct {
	Base
	peers map[string]*Service
	next  *Service
	queue []Job
	done  chan Job
}

type Job struct{ name string }

func (j Job) Run() { println(j.name) }

func (s *Service) Start() {
	s.Log("start")
	s.Base.Log("again")
	s.next.Stop()
	s.peers["a"].Stop()
	s.queue[0].Run()
	for _, job := range s.queue {
		job.Run()
	}
	for name, peer := range s.peers {
		s.Log(name)
		peer.next.next.Stop()
	}
	select {
	case job := <-s.done:
		job.Run()
	default:
	}
}

func (s *Service) Stop() { s.Log("stop") }

func main() {
	s := &Service{Base: Base{Logger: new(Logger)}}
	defer s.Stop()
	go s.Start()
	println(s.Len(), s.ID(), s.Base.Logger.Len())
}
