package people;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

public class Box<T extends Person> {
    private final List<T> held = new ArrayList<>();

    public Box<T> put(T one) {
        held.add(one);
        one.leads();
        return this;
    }

    public T first() {
        return held.get(0);
    }

    public <R> List<R> each(Function<T, R> change) {
        List<R> made = new ArrayList<>();
        held.forEach(one -> made.add(change.apply(one)));
        return made;
    }

    public List<T> all() {
        return held;
    }
}
