package jobs;

public class Twice extends Count {
    public Twice() {
        super(2);
    }

    @Override
    protected Integer work() {
        return super.work() + super.work();
    }

    @Override
    protected void before() {
        super.before();
        ready();
    }

    protected void ready() {
    }
}
