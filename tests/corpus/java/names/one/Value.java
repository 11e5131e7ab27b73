package one;

public class Value {
    public int size() {
        return count();
    }

    protected int count() {
        return 1;
    }

    public static Value make() {
        return new Value();
    }
}
