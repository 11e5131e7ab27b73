package core;

public abstract class Task<R> {
    private static int made;
    protected final int number;

    static {
        reset();
    }

    {
        note("made");
    }

    protected Task() {
        number = ++made;
    }

    private static void reset() {
        made = 0;
    }

    public final R run() {
        before();
        R result = work();
        after(result);
        return result;
    }

    protected void before() {
        note("before");
    }

    protected abstract R work();

    protected void after(R result) {
        note("after " + result);
    }

    void note(String text) {
        Log.write(number, text);
    }
}
