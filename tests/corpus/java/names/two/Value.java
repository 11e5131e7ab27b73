package two;

public class Value {
    public int size() {
        return 2;
    }

    public static Value make() {
        return new Value();
    }
}
