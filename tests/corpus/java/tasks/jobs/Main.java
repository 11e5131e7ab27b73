package jobs;

import static core.Log.last;

import core.Task;

public class Main {
    public static void main(String[] args) {
        Count count = new Count(3);
        System.out.println(count.run());
        new Twice().run();
        Task<String> told = new Task<String>() {
            @Override
            protected String work() {
                return text();
            }

            private String text() {
                return last();
            }
        };
        System.out.println(told.run() + last());
        twice(told);
    }

    static <R> R twice(Task<R> task) {
        task.run();
        return task.run();
    }
}
