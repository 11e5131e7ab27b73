package three;

import one.*;
import two.User;

class Wide {
    Value value = Value.make();
    User user;

    static class Value extends one.Value {
        public static Value make() {
            return new Value();
        }

        @Override
        protected int count() {
            return 3;
        }
    }

    int run() {
        try {
            return value.size() + new one.Value().size();
        } catch (IllegalStateException problem) {
            return problem.getMessage().length();
        }
    }
}
