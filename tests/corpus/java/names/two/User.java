package two;

public class User {
    private final one.Value value = one.Value.make();

    int mine() {
        return value.size();
    }

    int other(Value value) {
        return value.size() + this.value.size();
    }

    int block(boolean which) {
        int sum = 0;
        if (which) {
            Value value = Value.make();
            sum += value.size();
        } else {
            var value = new one.Value();
            sum += value.size();
        }
        for (Value value = new Value(); sum < 9; sum++) {
            sum += value.size();
        }
        return sum + value.size();
    }

    int inner() {
        Value value = Value.make();
        class Held {
            one.Value value = one.Value.make();

            int size() {
                return value.size();
            }
        }
        return new Held().size() + value.size() + size();
    }

    int size() {
        return User.size(this);
    }

    static int size(User user) {
        return user.mine();
    }
}
