package three;

import two.Value;

class Plain {
    int run(Object value) {
        if (value instanceof Value two) {
            return two.size();
        }
        if (!(value instanceof one.Value other)) {
            return ((Wide) value).run();
        }
        return other.size();
    }
}
