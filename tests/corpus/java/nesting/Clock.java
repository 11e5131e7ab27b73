public class Clock {
    private int ticks;

    class Hand {
        int ticks = start();

        void move() {
            ticks++;
            tick();
            Clock.this.tick();
            step(this.ticks);
        }

        void step(int by) {
            show("hand " + by);
        }
    }

    static class Face {
        final Clock clock;

        Face(Clock clock) {
            this.clock = clock;
        }

        void draw() {
            clock.tick();
            Mark mark = new Mark();
            mark.draw();
        }

        static class Mark {
            void draw() {
                print();
            }

            private void print() {
            }
        }
    }

    static int start() {
        return 0;
    }

    void tick() {
        ticks++;
    }

    static void show(String text) {
        System.out.println(text);
    }

    void run() {
        Hand hand = new Hand();
        Hand other = this.new Hand();
        hand.move();
        class Alarm {
            void ring() {
                show("ring");
                tick();
            }
        }
        Alarm alarm = new Alarm();
        alarm.ring();
        Runnable later = new Runnable() {
            @Override
            public void run() {
                tick();
                again();
            }

            private void again() {
                other.step(1);
            }
        };
        later.run();
        new Face(this).draw();
        new Face.Mark().draw();
    }

    public static void main(String[] args) {
        new Clock().run();
    }
}
