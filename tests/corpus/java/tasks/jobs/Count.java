package jobs;

import core.Task;

public class Count extends Task<Integer> {
    private final int to;

    public Count(int to) {
        this.to = to;
    }

    @Override
    protected Integer work() {
        return up(0);
    }

    private int up(int from) {
        return from >= to ? from : up(from + 1);
    }
}
